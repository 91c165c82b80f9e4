using Dapper;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>Look-back windows that hold where a report does not name one.</summary>
public sealed class AttributionSettingsStore(UnitOfWork<ConversionDbContext> work)
{
    public Task<AttributionSettings> Read(Guid workspaceId, CancellationToken ct) => work.Read(workspaceId, Read, ct);

    public async Task<Result<AttributionSettings>> Update(
        UpdateAttributionSettingsRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        for (var index = 0; index < request.Lookbacks.Count; index++)
        {
            var (lookback, field) = (request.Lookbacks[index], $"lookbacks[{index}]");
            violations.Require(
                Enum.IsDefined(lookback.ConversionKind) && lookback.ConversionKind != ConversionKind.Unspecified, $"{field}.conversionKind",
                "conversionKind must be LEAD, MQL, SQL or CUSTOMER.");
            violations.Require(
                request.Lookbacks.Take(index).All(other => other.ConversionKind != lookback.ConversionKind), $"{field}.conversionKind",
                $"{CreditedDeals.KindName(lookback.ConversionKind)} is given twice.");
            ReportQuery.CheckLookback(violations, true, lookback.Days, $"{field}.days");
        }

        if (violations.ToError() is { } error)
        {
            return error;
        }

        return await work.RunIdempotent<AttributionSettings>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            await tx.Connection.ExecuteAsync(new CommandDefinition(
                """
                delete from attribution_setting where workspace_id = @workspace;
                insert into attribution_setting select @workspace, kind, days from unnest(@kinds, @days) as given(kind, days)
                """,
                new
                {
                    workspace = tx.WorkspaceId,
                    kinds = request.Lookbacks.Select(lookback => CreditedDeals.KindName(lookback.ConversionKind)).ToArray(),
                    days = request.Lookbacks.Select(lookback => lookback.Days).ToArray(),
                },
                cancellationToken: ct));
            return await Read(tx);
        }, ct);
    }

    /// <summary>The window of a kind; null: all touches count.</summary>
    public static Task<int?> Lookback(Transaction<ConversionDbContext> tx, ConversionKind kind) => tx.Connection.ExecuteScalarAsync<int?>(
        new CommandDefinition(
            "select lookback_days from attribution_setting where workspace_id = @workspace and kind = @kind",
            new { workspace = tx.WorkspaceId, kind = CreditedDeals.KindName(kind) },
            cancellationToken: tx.CancellationToken));

    private static async Task<AttributionSettings> Read(Transaction<ConversionDbContext> tx)
    {
        var rows = await tx.Connection.QueryAsync<Row>(new CommandDefinition(
            "select kind, lookback_days from attribution_setting where workspace_id = @workspace",
            new { workspace = tx.WorkspaceId },
            cancellationToken: tx.CancellationToken));
        return new AttributionSettings
        {
            Lookbacks =
            {
                rows.Select(
                    row => new AttributionLookback { ConversionKind = Enum.Parse<ConversionKind>(row.Kind, true), Days = row.LookbackDays })
                    .OrderBy(lookback => lookback.ConversionKind),
            },
        };
    }

    private sealed class Row
    {
        public string Kind { get; init; } = "";

        public int LookbackDays { get; init; }
    }
}
