using Dapper;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Features.ReportNurture;

/// <summary>Which mails and links people open and follow. Only what people did counts; machines are kept apart.</summary>
internal static class ReportEngagement
{
    private const int MaxRows = 500;

    /// <summary>Mails of the period by (workspace_id, send_time), with the first MQL of their leads after the click.</summary>
    private const string Mails =
        """
        mail as (
          select m.id, m.lead_id, coalesce(m.external_id, m.email_id::text) as email_id, coalesce(t.display_name, m.subject, m.external_id, m.email_id::text) as name,
            m.deliver_time is not null and m.bounce_time is null as delivered,
            m.open_time, m.click_time, m.unsubscribe_time
          from message m left join email t on t.workspace_id = m.workspace_id and t.id = m.email_id
          where m.workspace_id = @workspace and m.send_time >= @from and m.send_time < @to and (@program::uuid is null or m.program_id = @program)
            and coalesce(m.external_id, m.email_id::text) is not null)
        """;

    private const string ByEmail =
        $"""
        with {Mails}
        select email_id, max(name) as display_name, '' as url, count(*) as sent, count(*) filter (where delivered) as delivered,
          count(open_time) filter (where delivered) as opened, count(click_time) filter (where delivered) as clicked,
          count(unsubscribe_time) filter (where delivered) as unsubscribed,
          count(distinct lead_id) filter (where click_time is not null) as clicked_leads,
          count(distinct lead_id) filter (where click_time is not null and exists (
            select 1 from mql q where q.workspace_id = @workspace and q.lead_id = mail.lead_id and q.time > mail.click_time)) as clicked_mqls
        from mail group by email_id order by clicked desc, opened desc, email_id limit @limit
        """;

    private const string ByLink =
        $"""
        with {Mails},
        total as (
          select email_id, max(name) as name, count(*) as sent, count(*) filter (where delivered) as delivered,
            count(open_time) filter (where delivered) as opened, count(unsubscribe_time) filter (where delivered) as unsubscribed
          from mail group by email_id),
        click as (
          select mail.email_id, e.url, mail.id, mail.lead_id, mail.delivered, min(e.time) as time
          from mail join engagement e on e.workspace_id = @workspace and e.message_id = mail.id
          where e.kind = 'CLICK' and e.classification = 'HUMAN' and e.url is not null
          group by mail.email_id, e.url, mail.id, mail.lead_id, mail.delivered)
        select c.email_id, t.name as display_name, c.url, t.sent, t.delivered, t.opened, count(*) filter (where c.delivered) as clicked, t.unsubscribed,
          count(distinct c.lead_id) as clicked_leads,
          count(distinct c.lead_id) filter (where exists (
            select 1 from mql q where q.workspace_id = @workspace and q.lead_id = c.lead_id and q.time > c.time)) as clicked_mqls
        from click c join total t on t.email_id = c.email_id
        group by c.email_id, t.name, c.url, t.sent, t.delivered, t.opened, t.unsubscribed
        order by clicked desc, c.email_id, c.url limit @limit
        """;

    public static async Task<GetEngagementReportResponse> Run(
        Transaction<NurtureDbContext> tx, DateTimeOffset from, DateTimeOffset to, bool byLink, Guid? program)
    {
        var rows = await tx.Connection.QueryAsync<AssetNumbers>(new CommandDefinition(
            byLink ? ByLink : ByEmail,
            new { workspace = tx.WorkspaceId, from = from.UtcDateTime, to = to.UtcDateTime, program, limit = MaxRows },
            cancellationToken: tx.CancellationToken));
        var response = new GetEngagementReportResponse { Assets = { rows.Select(ToProto) } };
        response.EmptyReason = response.Assets.Count > 0 ? ""
            : byLink ? "Nobody followed a link in mail of the period." : "No mail was sent in the period.";
        return response;
    }

    private static EngagingAsset ToProto(AssetNumbers row)
    {
        var asset = new EngagingAsset
        {
            EmailId = row.EmailId,
            DisplayName = row.DisplayName ?? "",
            Url = row.Url,
            Sent = row.Sent,
            Delivered = row.Delivered,
            Opened = row.Opened,
            Clicked = row.Clicked,
            Unsubscribed = row.Unsubscribed,
            ClickedLeads = row.ClickedLeads,
            ClickedMqls = row.ClickedMqls,
        };
        if (row.Delivered > 0)
        {
            (asset.OpenRate, asset.ClickRate) = ((double)row.Opened / row.Delivered, (double)row.Clicked / row.Delivered);
        }

        return asset;
    }

    private sealed class AssetNumbers
    {
        public string EmailId { get; init; } = "";

        public string? DisplayName { get; init; }

        public string Url { get; init; } = "";

        public long Sent { get; init; }

        public long Delivered { get; init; }

        public long Opened { get; init; }

        public long Clicked { get; init; }

        public long Unsubscribed { get; init; }

        public long ClickedLeads { get; init; }

        public long ClickedMqls { get; init; }
    }
}
