using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;

namespace Lifecycle.Retention.Features.TrackReferrals;

/// <summary>Referrals as the API tells them.</summary>
internal static class Referrals
{
    /// <summary>
    /// What was sold to the referred customer of referral <c>r</c>, from the day of the referral on (deals are often dated by days).
    /// Indexes customer (workspace_id, lead_id), revenue (workspace_id, customer_id, occur_time).
    /// </summary>
    public const string Revenue = """
        (select coalesce(sum(e.base_amount), 0) from customer c join revenue e on e.workspace_id = c.workspace_id and e.customer_id = c.id
         where c.workspace_id = r.workspace_id and c.lead_id = r.referred_lead_id and e.type in ('New', 'Upsell', 'CrossSell', 'Renewal')
           and e.occur_time >= date_trunc('day', r.create_time at time zone 'UTC') at time zone 'UTC')
        """;

    private const string State =
        "case when r.declined then 'DECLINED' when r.converted then 'CONVERTED' when r.referred_lead_id is not null then 'CAPTURED' else 'OPEN' end";

    // A customer is one also where Conversion told nothing of it.
    private const string StageOf = """
        case when r.referred_lead_id is null then '' when greatest(p.stage, case when r.converted then 6 else 2 end) = 7 then 'ADVOCATE'
          else (array['LEAD', 'MQL', 'SQL', 'OPPORTUNITY', 'CUSTOMER'])[greatest(p.stage, case when r.converted then 6 else 2 end) - 1] end
        """;

    private const string From = """
        referral r left join referral_link l on l.workspace_id = r.workspace_id and l.id = r.link_id
        left join lead_profile p on p.workspace_id = r.workspace_id and p.lead_id = r.referred_lead_id
        """;

    private static readonly ListFields Fields = new ListFields("id", "r.id")
        .Names("state", State, ["OPEN", "CAPTURED", "CONVERTED", "DECLINED"])
        .Names("stage", StageOf, ["LEAD", "MQL", "SQL", "OPPORTUNITY", "CUSTOMER", "ADVOCATE"])
        .Add("advocateLeadId", "r.advocate_lead_id", FieldKind.Id)
        .Add("referredLeadId", "r.referred_lead_id", FieldKind.Id)
        .Add("linkId", "r.link_id", FieldKind.Id)
        .Add("code", "l.code")
        .Add("program", "coalesce(l.program, '')")
        .Sortable("createTime", "r.create_time", FieldKind.Time);

    public static Result<ListQuery> Parse(ListReferralsRequest request) =>
        ListQuery.Parse(
            Fields, request.PageSize, request.PageToken, request.Filter, request.OrderBy, "id desc", request.AdvocateLeadId);

    public static async Task<ListReferralsResponse> List(
        Transaction<RetentionDbContext> tx, ListQuery query, Guid? advocateLeadId, string currencyCode)
    {
        var rows = await Select(
            tx,
            $"{query.Where} and (@advocateLeadId::uuid is null or r.advocate_lead_id = @advocateLeadId) order by {query.OrderBy} limit {query.Limit}",
            query.PageKey,
            new(query.Parameters.Select(pair => KeyValuePair.Create(pair.Key, (object?)pair.Value)))
            {
                ["advocateLeadId"] = advocateLeadId
            });
        var (page, next) = query.Page(rows, row => row.PageKey);
        return new() { Referrals = { page.Select(row => ToProto(row, currencyCode)) }, NextPageToken = next };
    }

    public static async Task<Referral> Read(Transaction<RetentionDbContext> tx, Guid id, string currencyCode) =>
        ToProto((await Select(tx, "r.id = @id", "array[''] as page_key", new() { ["id"] = id })).Single(), currencyCode);

    private static Task<IEnumerable<Row>> Select(
        Transaction<RetentionDbContext> tx, string where, string pageKey, Dictionary<string, object?> parameters)
    {
        parameters["workspaceId"] = tx.WorkspaceId;
        return tx.Connection.QueryAsync<Row>(new CommandDefinition(
            $"""
            select r.id, r.advocate_lead_id, r.referred_email, r.referred_lead_id, r.create_time, r.link_id, coalesce(l.code, '') as code,
              coalesce(l.program, '') as program, {State} as state, {StageOf} as stage, {Revenue} as revenue, {pageKey}
            from {From} where r.workspace_id = @workspaceId and {where}
            """,
            new DynamicParameters(parameters), cancellationToken: tx.CancellationToken));
    }

    private static Referral ToProto(Row row, string currencyCode) => new()
    {
        Id = row.Id.ToString(),
        AdvocateLeadId = row.AdvocateLeadId.ToString(),
        ReferredEmail = row.ReferredEmail ?? "",
        ReferredLeadId = row.ReferredLeadId?.ToString() ?? "",
        State = Names.TryParse(row.State, out Referral.Types.State state) ? state : default,
        CreateTime = row.CreateTime.ToProto(),
        LinkId = row.LinkId?.ToString() ?? "",
        Code = row.Code,
        Program = row.Program,
        Stage = row.Stage,
        Revenue = new Kernel.Money(currencyCode, row.Revenue).ToProto(),
    };

    private sealed class Row
    {
        public Guid Id { get; init; }

        public Guid AdvocateLeadId { get; init; }

        public string? ReferredEmail { get; init; }

        public Guid? ReferredLeadId { get; init; }

        public DateTimeOffset CreateTime { get; init; }

        public Guid? LinkId { get; init; }

        public string Code { get; init; } = "";

        public string Program { get; init; } = "";

        public string State { get; init; } = "";

        public string Stage { get; init; } = "";

        public decimal Revenue { get; init; }

        public string[] PageKey { get; init; } = [];
    }
}
