using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Messages;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>A new activity, ready to be written.</summary>
internal sealed record NewActivity(Guid Id, Guid? VisitorId, Guid? SessionId, Guid? LeadId, IngestMessage Message);

/// <summary>Writes visitors, sessions and activities before the commit, each kind in one statement.</summary>
internal static class VisitWriter
{
    private static readonly string[] Keys = ["workspace_id", "id"];

    // What is new and what is stored already is known under the workspace's lock: either costs less than an insert that may turn into an
    // update.
    public static void Write(Transaction<CaptureDbContext> tx, VisitChanges changes)
    {
        var batch = tx.Closing;
        var visitors = changes.Visitors.ToLookup(visitor => visitor.IsNew);
        Bulk.Add(batch, "visitor", Columns(tx, visitors[true].ToArray()));
        Bulk.AddUpdate(batch, "visitor", Keys, Columns(tx, visitors[false].ToArray()));
        var held = changes.Changed.Select(item => item.Before?.Id).OfType<Guid>().ToHashSet();
        var sessions = changes.Sessions.ToLookup(session => held.Contains(session.Id));
        Bulk.Add(batch, "session", Columns(tx, sessions[false].ToArray()));
        Bulk.AddUpdate(batch, "session", Keys, Columns(tx, sessions[true].ToArray()));
        if (changes.Ended.Count > 0)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand("delete from session where workspace_id = $1 and id = any($2)")
            {
                Parameters = { Bulk.Value(tx.WorkspaceId), Bulk.Array(NpgsqlDbType.Uuid, changes.Ended.ToArray()) },
            });
        }
    }

    /// <summary>Writes new activities, and where stored ones lie now.</summary>
    public static void WriteActivities(Transaction<CaptureDbContext> tx, VisitChanges changes, IReadOnlyCollection<NewActivity> activities)
    {
        AddActivities(tx.Closing, tx, activities);
        if (changes.Moved.Count > 0)
        {
            tx.Closing.BatchCommands.Add(new NpgsqlBatchCommand(
                """
                update activity a set session_id = p.session_id, lead_id = p.lead_id
                from unnest($2, $3, $4) as p(id, session_id, lead_id)
                where a.workspace_id = $1 and a.id = p.id
                """)
            {
                Parameters =
                {
                    Bulk.Value(tx.WorkspaceId),
                    Bulk.Array(NpgsqlDbType.Uuid, changes.Moved.Select(placement => placement.Id).ToArray()),
                    Bulk.Array(NpgsqlDbType.Uuid, changes.Moved.Select(placement => placement.SessionId).ToArray()),
                    Bulk.Array(NpgsqlDbType.Uuid, changes.Moved.Select(placement => placement.LeadId).ToArray()),
                },
            });
        }
    }

    private static BulkColumn[] Columns(Transaction<CaptureDbContext> tx, StoredVisitor[] visitors) =>
    [
        BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, visitors, _ => tx.WorkspaceId),
        BulkColumn.From("id", NpgsqlDbType.Uuid, visitors, visitor => visitor.Id),
        BulkColumn.From("anonymous_id", NpgsqlDbType.Text, visitors, visitor => visitor.AnonymousId),
        BulkColumn.From("lead_id", NpgsqlDbType.Uuid, visitors, visitor => visitor.LeadId),
        BulkColumn.From("last_time", NpgsqlDbType.TimestampTz, visitors, visitor => visitor.LastTime),
        BulkColumn.From("last_session_id", NpgsqlDbType.Uuid, visitors, visitor => visitor.LastSession?.Id),
    ];

    private static BulkColumn[] Columns(Transaction<CaptureDbContext> tx, StoredSession[] sessions) =>
    [
        BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, sessions, _ => tx.WorkspaceId),
        BulkColumn.From("id", NpgsqlDbType.Uuid, sessions, row => row.Id),
        BulkColumn.From("visitor_id", NpgsqlDbType.Uuid, sessions, row => row.VisitorId),
        BulkColumn.From("lead_id", NpgsqlDbType.Uuid, sessions, row => row.Session.Lead),
        BulkColumn.From("start_time", NpgsqlDbType.TimestampTz, sessions, row => row.Session.Start),
        BulkColumn.From("end_time", NpgsqlDbType.TimestampTz, sessions, row => row.Session.End),
        BulkColumn.From("source_kind", NpgsqlDbType.Smallint, sessions, row => (short)row.Session.Source.Kind),
        BulkColumn.From("channel", NpgsqlDbType.Text, sessions, row => row.Session.Source.Channel),
        BulkColumn.From("source", NpgsqlDbType.Text, sessions, row => row.Session.Source.Source),
        BulkColumn.From("medium", NpgsqlDbType.Text, sessions, row => row.Session.Source.Medium),
        BulkColumn.From("campaign", NpgsqlDbType.Text, sessions, row => row.Session.Source.Campaign),
        BulkColumn.From("keyword", NpgsqlDbType.Text, sessions, row => row.Session.Source.Keyword),
        BulkColumn.From("click_id", NpgsqlDbType.Text, sessions, row => row.Session.Source.ClickId),
        BulkColumn.From("referrer_host", NpgsqlDbType.Text, sessions, row => row.Session.Source.ReferrerHost),
        BulkColumn.From("channel_rules", NpgsqlDbType.Text, sessions, row => row.Session.Source.Rules),
        BulkColumn.From("landing_page", NpgsqlDbType.Text, sessions, row => row.Session.LandingPage),
        BulkColumn.From("exit_page", NpgsqlDbType.Text, sessions, row => row.Session.ExitPage),
        BulkColumn.From("page_views", NpgsqlDbType.Integer, sessions, row => row.Session.PageViews),
        BulkColumn.From("activities", NpgsqlDbType.Integer, sessions, row => row.Session.Activities),
    ];

    /// <summary>Keeps what a device sends that counts as a robot's, in case that proves wrong.</summary>
    public static void KeepRobots(Transaction<CaptureDbContext> tx, IReadOnlyCollection<NewActivity> activities) =>
        AddActivities(tx.Closing, tx, activities, "robot_activity");

    private static void AddActivities(
        NpgsqlBatch batch, Transaction<CaptureDbContext> tx, IReadOnlyCollection<NewActivity> activities,
        string table = "activity") => Bulk.Add(
    batch,
    table,
    [
        BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, activities, _ => tx.WorkspaceId),
        BulkColumn.From("id", NpgsqlDbType.Uuid, activities, row => row.Id),
        BulkColumn.From("visitor_id", NpgsqlDbType.Uuid, activities, row => row.VisitorId),
        BulkColumn.From("session_id", NpgsqlDbType.Uuid, activities, row => row.SessionId),
        BulkColumn.From("lead_id", NpgsqlDbType.Uuid, activities, row => row.LeadId),
        BulkColumn.From("type", NpgsqlDbType.Text, activities, row => row.Message.Type),
        BulkColumn.From("name", NpgsqlDbType.Text, activities, row => row.Message.Name),
        BulkColumn.From("time", NpgsqlDbType.TimestampTz, activities, row => row.Message.Time),
        BulkColumn.From("url", NpgsqlDbType.Text, activities, row => row.Message.Page.Url),
        BulkColumn.From("properties", NpgsqlDbType.Jsonb, activities, row => row.Message.Properties),
        BulkColumn.From("source_kind", NpgsqlDbType.Smallint, activities, row => (short)row.Message.Source.Kind),
        BulkColumn.From("channel", NpgsqlDbType.Text, activities, row => Told(row)?.Channel),
        BulkColumn.From("source", NpgsqlDbType.Text, activities, row => Told(row)?.Source),
        BulkColumn.From("medium", NpgsqlDbType.Text, activities, row => Told(row)?.Medium),
        BulkColumn.From("campaign", NpgsqlDbType.Text, activities, row => Told(row)?.Campaign),
        BulkColumn.From("keyword", NpgsqlDbType.Text, activities, row => Told(row)?.Keyword),
        BulkColumn.From("click_id", NpgsqlDbType.Text, activities, row => Told(row)?.ClickId),
        BulkColumn.From("referrer_host", NpgsqlDbType.Text, activities, row => row.Message.Source.ReferrerHost),
        BulkColumn.From("opens", NpgsqlDbType.Boolean, activities, row => row.Message.Opens),
        BulkColumn.From("identity_kind", NpgsqlDbType.Text, activities, row => row.Message.Person.Keys is [var key, ..] ? key.Kind : null),
        BulkColumn.From(
            "identity_value", NpgsqlDbType.Text, activities, row => row.Message.Person.Keys is [var key, ..] ? key.Value : null),
    ]);

    private static TrafficSource? Told(NewActivity activity) =>
        activity.Message.Source.Kind is EvidenceKind.Referrer or EvidenceKind.Campaign ? activity.Message.Source : null;
}
