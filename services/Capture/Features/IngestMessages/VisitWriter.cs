using Dapper;
using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Messages;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>A new activity, ready to be written.</summary>
internal sealed record NewActivity(Guid Id, Guid? VisitorId, Guid? SessionId, Guid? LeadId, IngestMessage Message);

/// <summary>Writes visitors, sessions and activities, each kind in one statement, all in one round trip.</summary>
internal static class VisitWriter
{
    public static async Task Write(Transaction<CaptureDbContext> tx, VisitChanges changes, IReadOnlyCollection<NewActivity> activities)
    {
        await using var batch = new NpgsqlBatch(tx.Connection, tx.DbTransaction);
        AddVisitors(batch, tx, changes.Visitors);
        AddSessions(batch, tx, changes.Sessions);
        AddActivities(batch, tx, activities);
        if (batch.BatchCommands.Count > 0)
        {
            await batch.ExecuteNonQueryAsync(tx.CancellationToken);
        }

        if (changes.Ended.Count > 0)
        {
            await tx.Connection.ExecuteAsync(
                "delete from session where workspace_id = @workspace and id = any(@ids)", new { workspace = tx.WorkspaceId, ids = changes.Ended.ToArray() });
        }

        if (changes.Moved.Count > 0)
        {
            await tx.Connection.ExecuteAsync(
                """
                update activity a set session_id = p.session_id, lead_id = p.lead_id
                from unnest(@ids, @sessions, @leads) as p(id, session_id, lead_id)
                where a.workspace_id = @workspace and a.id = p.id
                """,
                new
                {
                    workspace = tx.WorkspaceId,
                    ids = changes.Moved.Select(placement => placement.Id).ToArray(),
                    sessions = changes.Moved.Select(placement => placement.SessionId).ToArray(),
                    leads = changes.Moved.Select(placement => placement.LeadId).ToArray(),
                });
        }
    }

    private static void AddVisitors(NpgsqlBatch batch, Transaction<CaptureDbContext> tx, IReadOnlyCollection<StoredVisitor> visitors) => Bulk.Add(
        batch,
        "visitor",
        [
            BulkColumn.From("workspace_id", NpgsqlDbType.Uuid, visitors, _ => tx.WorkspaceId),
            BulkColumn.From("id", NpgsqlDbType.Uuid, visitors, visitor => visitor.Id),
            BulkColumn.From("anonymous_id", NpgsqlDbType.Text, visitors, visitor => visitor.AnonymousId),
            BulkColumn.From("lead_id", NpgsqlDbType.Uuid, visitors, visitor => visitor.LeadId),
            BulkColumn.From("last_time", NpgsqlDbType.TimestampTz, visitors, visitor => visitor.LastTime),
            BulkColumn.From("last_session_id", NpgsqlDbType.Uuid, visitors, visitor => visitor.LastSession?.Id),
        ],
        """
        on conflict (workspace_id, id) do update set
          lead_id = excluded.lead_id, last_time = excluded.last_time, last_session_id = excluded.last_session_id
        """);

    private static void AddSessions(NpgsqlBatch batch, Transaction<CaptureDbContext> tx, IReadOnlyCollection<StoredSession> sessions) => Bulk.Add(
        batch,
        "session",
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
        ],
        """
        on conflict (workspace_id, id) do update set
          lead_id = excluded.lead_id, start_time = excluded.start_time, end_time = excluded.end_time, source_kind = excluded.source_kind,
          channel = excluded.channel, source = excluded.source, medium = excluded.medium, campaign = excluded.campaign, keyword = excluded.keyword,
          click_id = excluded.click_id, referrer_host = excluded.referrer_host, channel_rules = excluded.channel_rules, landing_page = excluded.landing_page, exit_page = excluded.exit_page, page_views = excluded.page_views,
          activities = excluded.activities
        """);

    private static void AddActivities(NpgsqlBatch batch, Transaction<CaptureDbContext> tx, IReadOnlyCollection<NewActivity> activities) => Bulk.Add(
        batch,
        "activity",
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
            BulkColumn.From("identity_value", NpgsqlDbType.Text, activities, row => row.Message.Person.Keys is [var key, ..] ? key.Value : null),
        ]);

    private static TrafficSource? Told(NewActivity activity) =>
        activity.Message.Source.Kind is EvidenceKind.Referrer or EvidenceKind.Campaign ? activity.Message.Source : null;
}
