using System.Globalization;
using Dapper;
using Grpc.Core;
using Lifecycle.Capture.Domain;
using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Features.ChangeLeads;
using Lifecycle.Capture.Features.ImportLeads;
using Lifecycle.Capture.Features.ManageChannels;
using Lifecycle.Capture.Storage;
using Lifecycle.Common.V1;
using Lifecycle.Contracts;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using NpgsqlTypes;

namespace Lifecycle.Capture.Features.Spend;

/// <summary>Imports spend: a row replaces the one with the same date, source, medium, campaign and keyword.</summary>
internal sealed class SpendImport(UnitOfWork<CaptureDbContext> work, ChannelsCache channels)
{
    /// <summary>As <see cref="SpendRecorded"/> promises.</summary>
    private const int RowsPerEvent = 500;

    public async Task<Result<ImportResponse>> Import(Caller caller, IAsyncStreamReader<ImportChunk> stream, CancellationToken ct)
    {
        var classifier = (await channels.Get(caller.WorkspaceId)).Channels;
        return await ImportRun<SpendInfo>.Run(
            work, caller, "spend", stream, row => Read(row, caller.CurrencyCode, classifier), Write, () => { }, ct);
    }

    private static async Task Write(Transaction<CaptureDbContext> tx, IReadOnlyList<SpendInfo> rows, ImportTally tally)
    {
        foreach (var distinct in Distinct(rows))
        {
            tally.Add(await Replace(tx, distinct));
        }
    }

    // A key that comes again replaces the earlier one: the two must not meet in one statement.
    private static List<List<SpendInfo>> Distinct(IReadOnlyList<SpendInfo> rows)
    {
        var parts = new List<List<SpendInfo>>();
        var seen = new HashSet<SpendKey>();
        foreach (var row in rows)
        {
            if (!seen.Add(SpendKey.Of(row)) || parts.Count == 0)
            {
                parts.Add([]);
                seen.Clear();
                seen.Add(SpendKey.Of(row));
            }

            parts[^1].Add(row);
        }

        return parts;
    }

    private static async Task<ImportTally> Replace(Transaction<CaptureDbContext> tx, List<SpendInfo> rows)
    {
        // Two imports of the same rows follow each other, and so do their events' versions.
        await tx.Connection.ExecuteAsync(
            "select pg_advisory_xact_lock(hashtextextended('capture.spend/' || @id, 0))", new { id = tx.WorkspaceId.ToString() });
        var stored = (await tx.Connection.QueryAsync<SpendRow>(
            """
            select s.date, s.source, s.medium, s.campaign, s.keyword, s.currency_code, s.amount, s.impressions, s.clicks, s.version
            from unnest(@dates, @sources, @mediums, @campaigns, @keywords) as k(date, source, medium, campaign, keyword)
            join spend s on s.workspace_id = @workspace
              and s.date = k.date and s.source = k.source and s.medium = k.medium and s.campaign = k.campaign and s.keyword = k.keyword
            """,
            new
            {
                workspace = tx.WorkspaceId,
                dates = rows.Select(row => row.Date).ToArray(),
                sources = rows.Select(row => row.Source).ToArray(),
                mediums = rows.Select(row => row.Medium).ToArray(),
                campaigns = rows.Select(row => row.Campaign).ToArray(),
                keywords = rows.Select(row => row.Keyword).ToArray(),
            })).ToDictionary(row => SpendKey.Of(row));
        var changed = rows.Where(row => !stored.TryGetValue(SpendKey.Of(row), out var held) || !held.Says(row)).ToArray();
        var tally = new ImportTally
        {
            Unchanged = rows.Count - changed.Length,
            Updated = changed.Count(row => stored.ContainsKey(SpendKey.Of(row)))
        };
        tally.Created = changed.Length - tally.Updated;
        if (changed.Length == 0)
        {
            return tally;
        }

        var version = Math.Max(
            tx.Now.UtcTicks / TimeSpan.TicksPerMicrosecond, stored.Values.Select(row => row.Version).DefaultIfEmpty().Max() + 1);
        await Bulk.Insert(
            tx,
            "spend",
            [
                BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, changed, _ => tx.WorkspaceId),
                BulkColumn.From("id", NpgsqlDbType.Uuid, changed, _ => tx.NewId()),
                BulkColumn.From("date", NpgsqlDbType.Date, changed, row => row.Date),
                BulkColumn.From("source", NpgsqlDbType.Text, changed, row => row.Source),
                BulkColumn.From("medium", NpgsqlDbType.Text, changed, row => row.Medium),
                BulkColumn.From("campaign", NpgsqlDbType.Text, changed, row => row.Campaign),
                BulkColumn.From("keyword", NpgsqlDbType.Text, changed, row => row.Keyword),
                BulkColumn.From("channel", NpgsqlDbType.Text, changed, row => row.Channel),
                BulkColumn.From("currency_code", NpgsqlDbType.Text, changed, row => row.Amount.CurrencyCode),
                BulkColumn.From("amount", NpgsqlDbType.Numeric, changed, row => row.Amount.Amount),
                BulkColumn.From("impressions", NpgsqlDbType.Bigint, changed, row => row.Impressions),
                BulkColumn.From("clicks", NpgsqlDbType.Bigint, changed, row => row.Clicks),
                BulkColumn.From("version", NpgsqlDbType.Bigint, changed, _ => version),
            ],
            """
            on conflict (workspace_id, date, source, medium, campaign, keyword) do update set
              channel = excluded.channel, currency_code = excluded.currency_code, amount = excluded.amount, impressions = excluded.impressions,
              clicks = excluded.clicks, version = excluded.version
            """);
        foreach (var portion in changed.Chunk(RowsPerEvent))
        {
            tx.Publish(new SpendRecorded(tx.NewId(), tx.WorkspaceId, tx.Now, version, portion));
        }

        return tally;
    }

    private static Result<SpendInfo> Read(ImportRow row, string currencyCode, ChannelClassifier classifier)
    {
        var violations = new Violations();
        violations.RequireDate(row["date"], "date", out var date);
        violations.Require(row["source"] is not null || row["campaign"] is not null, "source", "source or campaign is required.");
        var currency = row["currency"]?.ToUpperInvariant() ?? currencyCode;
        if (violations.RequireMoney(currency, row["amount"], "amount", out var amount))
        {
            violations.Require(amount.Amount >= 0, "amount", "amount must be at least 0.");
            violations.Require(
                currency == currencyCode, "currency",
                $"currency is {currency}; only {currencyCode}, the workspace's currency, is accepted, since reports do not mix currencies.");
        }

        var (impressions, clicks) = (Count(row, "impressions", violations), Count(row, "clicks", violations));
        if (violations.ToError() is { } error)
        {
            return error;
        }

        var (source, medium) = (LeadRequests.Lower(row["source"]) ?? "", LeadRequests.Lower(row["medium"]) ?? "");
        var (campaign, keyword) = (Texts.Clip(row["campaign"], 200) ?? "", Texts.Clip(row["keyword"], 200) ?? "");
        var channel = classifier.Classify(new ChannelFacts(source, medium, campaign, keyword));
        return new SpendInfo(
            date, channel, source, medium, campaign, keyword, new(amount.CurrencyCode, amount.Amount), impressions, clicks);
    }

    private static long Count(ImportRow row, string column, Violations violations)
    {
        long value = 0;
        violations.Require(
            row[column] is not { } text
                || (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value <= 1_000_000_000_000_000),
            column,
            $"{column} must be a whole number of at least 0.");
        return value;
    }

    private readonly record struct SpendKey(DateOnly Date, string Source, string Medium, string Campaign, string Keyword)
    {
        public static SpendKey Of(SpendInfo spend) => new(spend.Date, spend.Source, spend.Medium, spend.Campaign, spend.Keyword);

        public static SpendKey Of(SpendRow spend) => new(spend.Date, spend.Source, spend.Medium, spend.Campaign, spend.Keyword);
    }
}
