using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Features.ManageCustomers;

/// <summary>Reads customers.</summary>
internal static class CustomerQueries
{
    // As CustomerLifecycle.State.
    private static readonly string State = $"""
        case when c.churned then 'CHURNED' when c.at_risk then 'AT_RISK'
          when c.reactivate_time > now() - interval '{CustomerLifecycle.ReactivatedDays} days' then 'REACTIVATED'
          when c.start_time > now() - interval '{CustomerLifecycle.OnboardingDays} days' then 'ONBOARDING' else 'ACTIVE' end
        """;

    private static readonly ListFields Fields = new ListFields("id", "c.id")
        .Names("state", State, ["ACTIVE", "CHURNED", "ONBOARDING", "AT_RISK", "REACTIVATED"])
        .Add("leadId", "c.lead_id", FieldKind.Id)
        .Add("externalId", "c.external_id")
        .Sortable("displayName", "c.display_name")
        .Add("segment", "c.segment")
        .Add("plan", "c.plan")
        .Add("owner", "c.owner")
        .Add("mrr", "c.mrr", FieldKind.Number)
        .Add("riskScore", "c.risk_score", FieldKind.Number)
        .Add("churnProbability", "c.churn_probability", FieldKind.Number)
        .Sortable("startTime", "c.start_time", FieldKind.Time)
        .Add("renewalDate", "c.renewal_date", FieldKind.Date);

    public static Result<ListQuery> Parse(ListCustomersRequest request) =>
        ListQuery.Parse(Fields, request.PageSize, request.PageToken, request.Filter, request.OrderBy, "startTime desc");

    /// <summary>Index (workspace_id, start_time, id) serves the default order.</summary>
    public static async Task<ListCustomersResponse> List(Transaction<RetentionDbContext> tx, ListQuery query, string currencyCode)
    {
        var keys = await tx.Connection.QueryAsync<Key>(
            $"select c.id, {query.PageKey} from customer c where c.workspace_id = @workspaceId and {query.Where} order by {query.OrderBy} limit {query.Limit}",
            new DynamicParameters(new Dictionary<string, object>(query.Parameters) { ["workspaceId"] = tx.WorkspaceId }));
        var (page, next) = query.Page(keys, key => key.PageKey);
        var ids = page.Select(key => key.Id).ToArray();
        var rows = await tx.Db.Customers.Where(row => row.WorkspaceId == tx.WorkspaceId && ids.Contains(row.Id))
            .ToDictionaryAsync(row => row.Id, tx.CancellationToken);
        return new() { Customers = { ids.Select(id => rows[id].ToProto(currencyCode, tx.Now)) }, NextPageToken = next };
    }

    public static Task<CustomerRow?> Find(Transaction<RetentionDbContext> tx, Guid id) =>
        tx.Db.Customers.AsNoTracking().SingleOrDefaultAsync(row => row.WorkspaceId == tx.WorkspaceId && row.Id == id, tx.CancellationToken);

    public static Customer ToProto(this CustomerRow row, string currencyCode, DateTimeOffset now)
    {
        var customer = new Customer
        {
            Id = row.Id.ToString(),
            LeadId = row.LeadId?.ToString() ?? "",
            ExternalId = row.ExternalId ?? "",
            DisplayName = row.DisplayName,
            State = (Customer.Types.State)(int)CustomerLifecycle.State(row.Churned, row.AtRisk, row.StartTime, row.ReactivateTime, now),
            StartTime = row.StartTime.ToProto(),
            RenewalDate = Text(row.RenewalDate),
            Segment = row.Segment,
            Plan = row.Plan,
            Owner = row.Owner,
            ContractStart = Text(row.ContractStart),
            TermMonths = row.TermMonths,
            ChurnReason = row.Churned ? row.ChurnReason ?? "" : "",
            ChurnTime = row.ChurnTime.ToProto(),
            ReactivateTime = row.ReactivateTime.ToProto(),
            Mrr = new Kernel.Money(currencyCode, row.Mrr).ToProto(),
            TotalRevenue = new Kernel.Money(currencyCode, row.TotalRevenue).ToProto(),
        };
        if (row is { Churned: false, RiskScore: { } score })
        {
            customer.RiskScore = (double)score;
        }

        if (row is { Churned: false, ChurnProbability: { } probability })
        {
            customer.ChurnProbability = probability;
        }

        if (row is { Churned: true, ChurnVoluntary: { } voluntary })
        {
            customer.ChurnVoluntary = voluntary;
        }

        return customer;
    }

    private static string Text(DateOnly? day) => day?.ToString("yyyy-MM-dd", null) ?? "";

    /// <summary>Dapper fills properties; an array fits no constructor parameter of its.</summary>
    private sealed class Key
    {
        public Guid Id { get; init; }

        public string[] PageKey { get; init; } = [];
    }
}
