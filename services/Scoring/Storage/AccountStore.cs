using Dapper;
using Lifecycle.Postgres;

namespace Lifecycle.Scoring.Storage;

/// <summary>Companies by the leads that work for them.</summary>
internal static class AccountStore
{
    /// <summary>A company's scores, found by ix_lead_workspace_id_company_key, and a name that one of the leads gives it.</summary>
    public static async Task<(List<LiveRow> Rows, string? Name)> Leads(
        Transaction<ScoringDbContext> tx, string scoreName, string companyKey, int limit)
    {
        var parameters = new { companyKey, limit };
        var rows = await LiveStore.Select(
            tx, scoreName,
            """
            state is not null and lead_id in (
                select lead_id from lead where workspace_id = @WorkspaceId and company_key = @companyKey)
            order by lead_id limit @limit
            """,
            parameters);
        var name = await tx.Connection.ExecuteScalarAsync<string?>(new CommandDefinition(
            "select max(company_name) from lead where workspace_id = @WorkspaceId and company_key = @companyKey",
            new { tx.WorkspaceId, companyKey }, cancellationToken: tx.CancellationToken));
        return (rows, name);
    }

    /// <summary>The highest companies. Computes the total of every lead that has a company.</summary>
    /// <param name="tx">Transaction.</param>
    /// <param name="scoreName">Which score.</param>
    /// <param name="column"><c>sum</c>, <c>max</c> or <c>top_k</c>.</param>
    /// <param name="k">Leads that count for <c>top_k</c>.</param>
    /// <param name="limit">How many companies.</param>
    /// <param name="min">Leaves out lower scores.</param>
    /// <param name="now">When.</param>
    public static async Task<List<AccountRow>> Top(
        Transaction<ScoringDbContext> tx, string scoreName, string column, int k, int limit, double? min, DateTimeOffset now)
    {
        var leads = scoreName == ModelStore.DefaultScore
            ? "select lead_id, company_key, company_name, qualified, state from lead where workspace_id = @WorkspaceId"
            : """
              select lead_id, company_key, company_name, false qualified, score.state from lead join score using (workspace_id, lead_id)
              where workspace_id = @WorkspaceId and score.score_name = @scoreName
              """;
        return (await tx.Connection.QueryAsync<AccountRow>(new CommandDefinition(
            $"""
            with total as (
                select lead_id, company_key, company_name, qualified, round({TotalSql.Now}::numeric, 2) total
                from ({leads}) leads where company_key is not null and state is not null),
            ranked as (
                select *, row_number() over (partition by company_key order by total desc, lead_id) place from total),
            account as (
                select company_key, max(company_name) display_name, sum(total) sum, max(total) max,
                    sum(total) filter (where place <= @k) top_k, count(*) lead_count, count(*) filter (where qualified) qualified_count
                from ranked group by company_key)
            select * from account where @min is null or {column} >= @min order by {column} desc, company_key limit @limit
            """,
            new { tx.WorkspaceId, scoreName, k, limit, min = (decimal?)min, now },
            cancellationToken: tx.CancellationToken))).AsList();
    }
}

/// <summary>A company's score.</summary>
public sealed class AccountRow
{
    public string CompanyKey { get; init; } = "";

    public string? DisplayName { get; init; }

    public decimal Sum { get; init; }

    public decimal Max { get; init; }

    public decimal TopK { get; init; }

    public long LeadCount { get; init; }

    public long QualifiedCount { get; init; }
}
