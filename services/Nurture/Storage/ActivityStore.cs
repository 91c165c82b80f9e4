using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Kernel.Expressions;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Postgres;
using NpgsqlTypes;

namespace Lifecycle.Nurture.Storage;

/// <summary>What leads did, for the counts of segments. What became of mails is read from the mails themselves.</summary>
internal static class ActivityStore
{
    /// <summary>Most activities of one lead that are looked at, the latest.</summary>
    public const int MaxPerLead = 5_000;

    private const int MaxTextLength = 2_000;

    /// <summary>Keeps activities, each once.</summary>
    public static async Task Add(Transaction<NurtureDbContext> tx, IReadOnlyList<(Guid LeadId, ActivityInfo Activity)> activities) =>
        await Bulk.Insert(
            tx,
            "activity",
            [
                BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, activities, _ => tx.WorkspaceId),
                BulkColumn.From("lead_id", NpgsqlDbType.Uuid, activities, row => row.LeadId),
                BulkColumn.From("id", NpgsqlDbType.Uuid, activities, row => row.Activity.ActivityId),
                BulkColumn.From("time", NpgsqlDbType.TimestampTz, activities, row => row.Activity.Time.ToUniversalTime()),
                BulkColumn.From("type", NpgsqlDbType.Text, activities, row => row.Activity.Type),
                BulkColumn.From("name", NpgsqlDbType.Text, activities, row => Cut(row.Activity.Name)),
                BulkColumn.From("session_id", NpgsqlDbType.Uuid, activities, row => row.Activity.SessionId),
                BulkColumn.From("url", NpgsqlDbType.Text, activities, row => Cut(row.Activity.Url)),
                BulkColumn.From("properties", NpgsqlDbType.Jsonb, activities, row => Properties(row.Activity)),
            ],
            "on conflict do nothing");

    /// <summary>An activity as conditions see it.</summary>
    public static LeadActivity Of(ActivityInfo activity) =>
        new(activity.Type, activity.Name, activity.Time, activity.SessionId, activity.Url, Properties(activity));

    /// <summary>What the tallies may count, by lead, each in order of time.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="leadIds">The leads.</param>
    /// <param name="tallies">The tallies; none: nothing is read.</param>
    public static async Task<ILookup<Guid, LeadActivity>> Load(
        Transaction<NurtureDbContext> tx, IReadOnlyCollection<Guid> leadIds, IReadOnlyCollection<Tally> tallies)
    {
        if (tallies.Count == 0 || leadIds.Count == 0)
        {
            return Array.Empty<(Guid, LeadActivity)>().ToLookup(row => row.Item1, row => row.Item2);
        }

        // A span's far end is open; timers ask for the moment at which an activity passes it, which lies a span ahead of it.
        var span = tallies.Any(tally => tally.Span is null) ? (TimeSpan?)null : tallies.Max(tally => tally.Span);
        var since = span is { } known && tx.Now - DateTimeOffset.UnixEpoch > known ? tx.Now - known : DateTimeOffset.UnixEpoch;
        var rows = await tx.Connection.QueryAsync<StoredActivity>(new CommandDefinition(
            """
            select a.* from unnest(@leads) as l(id) cross join lateral (
              select a.lead_id, a.time, a.type, a.name, a.session_id, a.url, case when @properties then a.properties::text end as properties,
                null as email_id, null::uuid as program_id
              from activity a where a.workspace_id = @workspace and a.lead_id = l.id and a.time > @since
              order by a.time desc limit @limit) a
            union all
            select m.lead_id, m.send_time, 'EMAIL', 'SENT', null, null, null, coalesce(m.external_id, m.email_id::text), m.program_id
            from message m where m.workspace_id = @workspace and m.lead_id = any(@leads) and m.send_time > @since and @sent
            union all
            select m.lead_id, e.time, 'EMAIL', e.kind, null, e.url, null, coalesce(m.external_id, m.email_id::text), m.program_id
            from message m join engagement e on e.workspace_id = m.workspace_id and e.message_id = m.id
            where m.workspace_id = @workspace and m.lead_id = any(@leads) and e.time > @since and e.classification = 'HUMAN' and @engagements
            order by time
            """,
            new
            {
                workspace = tx.WorkspaceId,
                leads = leadIds.ToArray(),
                since = since.UtcDateTime,
                limit = MaxPerLead,
                properties = tallies.Any(tally => tally.Condition?.Fields.Any(field => field.Name == "activity.properties") ?? false),
                sent = tallies.Any(SegmentReads.Mail),
                // An opening is also something that the lead did.
                engagements = tallies.Any(tally => tally.Kind != TallyKind.Visits),
            },
            cancellationToken: tx.CancellationToken));
        return rows.ToLookup(row => row.LeadId, row => new LeadActivity(
            row.Type, row.Name, row.Time, row.SessionId, row.Url, row.Properties, row.EmailId, row.ProgramId));
    }

    /// <summary>Removes activities and scores from before an instant, up to a number of each.</summary>
    /// <returns>How many were removed.</returns>
    public static Task<int> Purge(Transaction<NurtureDbContext> tx, DateTimeOffset before, int limit) =>
        tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            delete from activity where ctid = any(array(
              select ctid from activity where workspace_id = @workspace and time < @before limit @limit));
            delete from score_change where ctid = any(array(
              select ctid from score_change where workspace_id = @workspace and time < @before limit @limit));
            """,
            new { workspace = tx.WorkspaceId, before = before.UtcDateTime, limit },
            cancellationToken: tx.CancellationToken));

    private static string? Properties(ActivityInfo activity) =>
        activity.Properties.Count == 0
            ? null
            : System.Text.Json.JsonSerializer.Serialize(activity.Properties).Replace("\\u0000", "", StringComparison.Ordinal);

    private static string? Cut(string? text) => text is { Length: > MaxTextLength } ? text[..MaxTextLength] : text;

    private sealed class StoredActivity
    {
        public Guid LeadId { get; init; }

        public DateTimeOffset Time { get; init; }

        public string Type { get; init; } = "";

        public string Name { get; init; } = "";

        public Guid? SessionId { get; init; }

        public string? Url { get; init; }

        public string? Properties { get; init; }

        public string? EmailId { get; init; }

        public Guid? ProgramId { get; init; }
    }
}
