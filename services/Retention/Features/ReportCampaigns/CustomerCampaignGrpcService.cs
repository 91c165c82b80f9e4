using Dapper;
using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;
using Lifecycle.Rpc.Metrics;

namespace Lifecycle.Retention.Features.ReportCampaigns;

/// <summary>What Nurture's programs did with customers.</summary>
internal sealed class CustomerCampaignGrpcService(UnitOfWork<RetentionDbContext> work) : CustomerCampaignService.CustomerCampaignServiceBase
{
    private const int UsualWindow = 30;

    public override Task<CustomerCampaignReport> GetCustomerCampaignReport(
        GetCustomerCampaignReportRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var violations = new Violations();
        violations.Require(request.WindowDays is >= 0 and <= 365, "windowDays", "windowDays must be 1 to 365, or 0 for 30.");
        violations.OrThrow();
        var period = ReportPeriod.Create(request.From, request.To, Granularity.Day, caller.TimeZone).OrThrow();
        return work.Read(
            caller.WorkspaceId,
            tx => Report(tx, period, request.WindowDays == 0 ? UsualWindow : request.WindowDays, caller.CurrencyCode),
            context.CancellationToken);
    }

    private static async Task<CustomerCampaignReport> Report(
        Transaction<RetentionDbContext> tx, ReportPeriod period, int days, string currencyCode)
    {
        // One mail is one row of "mail"; the first click of a customer on a program's mails opens one window, in which each entry counts
        // once.
        var rows = (await tx.Connection.QueryAsync<Row>(new CommandDefinition(
            """
            with mail as (
              select e.program_id, c.id as customer_id, e.opened, e.clicked, e.replied, e.click_time
              from campaign_email e join customer c on c.workspace_id = e.workspace_id and c.lead_id = e.lead_id and c.start_time <= e.sent_time
              where e.workspace_id = @workspace and e.sent_time >= @from and e.sent_time < @to and not e.bounced),
            click as (select program_id, customer_id, min(click_time) as time from mail where click_time is not null group by 1, 2),
            influence as (
              select k.program_id, count(distinct k.customer_id) as customers, sum(r.base_amount) as amount
              from click k join revenue r on r.workspace_id = @workspace and r.customer_id = k.customer_id
                and r.occur_time >= k.time and r.occur_time < k.time + make_interval(days => @days)
                and r.type in ('New', 'Upsell', 'CrossSell', 'Renewal')
              group by 1)
            select m.program_id, count(*) as delivered, count(*) filter (where m.opened) as opened, count(*) filter (where m.clicked) as clicked,
              count(*) filter (where m.replied) as replied, coalesce(max(i.customers), 0) as customers, coalesce(max(i.amount), 0) as amount
            from mail m left join influence i on i.program_id is not distinct from m.program_id
            group by m.program_id order by delivered desc, m.program_id
            """,
            new { workspace = tx.WorkspaceId, from = period.From, to = period.To, days },
            cancellationToken: tx.CancellationToken))).AsList();
        return new()
        {
            Rows = { rows.Select(row => ToProto(row, currencyCode)) },
            Note = rows.Count == 0 ? "No mail reached a customer in the period." : "",
        };
    }

    private static CustomerCampaignRow ToProto(Row row, string currencyCode)
    {
        var proto = new CustomerCampaignRow
        {
            ProgramId = row.ProgramId?.ToString() ?? "",
            Delivered = row.Delivered,
            Opened = row.Opened,
            Clicked = row.Clicked,
            Replied = row.Replied,
            InfluencedCustomers = row.Customers,
            InfluencedRevenue = new Kernel.Money(currencyCode, row.Amount).ToProto(),
        };
        if (MetricsAnswer.Ratio(row.Opened, row.Delivered) is { } open
            && MetricsAnswer.Ratio(row.Clicked, row.Delivered) is { } click
            && MetricsAnswer.Ratio(row.Replied, row.Delivered) is { } reply)
        {
            (proto.OpenRate, proto.ClickRate, proto.ReplyRate) = (open, click, reply);
        }

        return proto;
    }

    private sealed class Row
    {
        public Guid? ProgramId { get; init; }

        public long Delivered { get; init; }

        public long Opened { get; init; }

        public long Clicked { get; init; }

        public long Replied { get; init; }

        public long Customers { get; init; }

        public decimal Amount { get; init; }
    }
}
