using Lifecycle.Conversion.Features.SyncCrm;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Lifecycle.Webhooks;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Features.ExportRevenue;

/// <summary>How won deals are told to GA4.</summary>
public sealed class ManageAnalyticsExport(UnitOfWork<ConversionDbContext> work, SecretBox box)
{
    private const string DefaultEndpoint = "https://www.google-analytics.com/mp/collect";
    private const string DefaultEvent = "purchase";
    private const string DefaultTrait = "gaClientId";

    public Task<AnalyticsExport> Get(Caller caller, CancellationToken ct) => work.Read(
        caller.WorkspaceId, async tx => ToProto(await tx.Db.AnalyticsExports.SingleOrDefaultAsync(ct)), ct);

    public async Task<Result<AnalyticsExport>> Update(UpdateAnalyticsExportRequest request, Caller caller, string method,
        CancellationToken ct)
    {
        var violations = new Violations();
        CrmChecks.Url(request.Endpoint, "endpoint", violations);
        violations.Require(!request.Enabled || request.MeasurementId.Length > 0, "measurementId", "measurementId is required.");
        violations.Require(request.MeasurementId.Length <= 50, "measurementId", "measurementId has at most 50 characters.");
        violations.Require(request.ApiSecret.Length <= 200, "apiSecret", "apiSecret has at most 200 characters.");
        // What GA4 takes as the name of an event.
        violations.Require(
            request.EventName.Length == 0 || (request.EventName.Length <= 40 && char.IsAsciiLetter(request.EventName[0])
                && request.EventName.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_')),
            "eventName", "eventName must begin with a letter and have at most 40 letters, digits and underscores.");
        violations.Require(request.ClientIdTrait.Length <= 100, "clientIdTrait", "clientIdTrait has at most 100 characters.");
        if (violations.ToError() is { } error)
        {
            return error;
        }

        return await work.RunIdempotent<AnalyticsExport>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            var row = await tx.Db.AnalyticsExports.FromSql(
                $"select * from analytics_export where workspace_id = {tx.WorkspaceId} for update")
                .SingleOrDefaultAsync(ct);
            if (row is null)
            {
                row = new AnalyticsExportRow
                {
                    WorkspaceId = tx.WorkspaceId,
                    Id = tx.NewId(),
                    Endpoint = DefaultEndpoint,
                    MeasurementId = "",
                    EventName = DefaultEvent,
                    ClientIdTrait = DefaultTrait,
                };
                tx.Db.AnalyticsExports.Add(row);
            }

            if (request.Enabled && request.ApiSecret.Length == 0 && row.ApiSecret is null)
            {
                return Error.Invalid("apiSecret", "apiSecret is required.");
            }

            (row.Enabled, row.DisableReason, row.MeasurementId) = (request.Enabled, null, request.MeasurementId);
            row.Endpoint = request.Endpoint.Length > 0 ? request.Endpoint : DefaultEndpoint;
            row.EventName = request.EventName.Length > 0 ? request.EventName : DefaultEvent;
            row.ClientIdTrait = request.ClientIdTrait.Length > 0 ? request.ClientIdTrait : DefaultTrait;
            row.ApiSecret = request.ApiSecret.Length > 0 ? box.Close(request.ApiSecret, CrmSecrets.Owner(row.WorkspaceId, row.Id))
                : row.ApiSecret;
            return ToProto(row);
        }, ct);
    }

    /// <summary>Address of the collector with stream and secret.</summary>
    internal static Uri Collector(AnalyticsExportRow row, SecretBox box)
    {
        var secret = row.ApiSecret is { } closed ? box.Open(closed, CrmSecrets.Owner(row.WorkspaceId, row.Id)) : "";
        var address = new UriBuilder(row.Endpoint);
        var query = $"measurement_id={Uri.EscapeDataString(row.MeasurementId)}&api_secret={Uri.EscapeDataString(secret)}";
        address.Query = address.Query.Length > 1 ? $"{address.Query[1..]}&{query}" : query;
        return address.Uri;
    }

    private static AnalyticsExport ToProto(AnalyticsExportRow? row) => new()
    {
        Enabled = row?.Enabled ?? false,
        Endpoint = row?.Endpoint ?? DefaultEndpoint,
        MeasurementId = row?.MeasurementId ?? "",
        HasApiSecret = row?.ApiSecret is not null,
        EventName = row?.EventName ?? DefaultEvent,
        ClientIdTrait = row?.ClientIdTrait ?? DefaultTrait,
        DisableReason = row?.DisableReason ?? "",
    };
}
