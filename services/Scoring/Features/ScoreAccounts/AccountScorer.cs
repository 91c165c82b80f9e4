using Google.Protobuf.WellKnownTypes;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Features.ReadScores;
using Lifecycle.Scoring.Storage;
using Lifecycle.Scoring.V1;

namespace Lifecycle.Scoring.Features.ScoreAccounts;

/// <summary>
/// Scores companies by their leads. The parts are the leads' totals as they are told, with two decimals, so that what is listed sums to the
/// account's score exactly.
/// </summary>
public sealed class AccountScorer(UnitOfWork<ScoringDbContext> work, ScoreReader reader, ScoreSettler settler, TimeProvider time)
{
    public const int MaxK = 100;
    private const int MaxLeads = 10_000;
    private const int MaxSettled = 1_000;

    /// <summary>One company's score with its leads.</summary>
    public async Task<Result<AccountScore>> Get(
        Guid workspaceId, string scoreName, string companyKey, AccountScore.Types.Method method, int k, int leadLimit, CancellationToken ct)
    {
        var key = CompanyKeys.Normalized(companyKey) ?? "";
        var (rows, name) = await work.Read(workspaceId, tx => AccountStore.Leads(tx, scoreName, key, MaxLeads + 1), ct);
        if (rows.Count == 0)
        {
            return Error.NotFound("Company", companyKey);
        }

        if (rows.Count > MaxLeads)
        {
            return Error.Precondition($"More than {MaxLeads} leads work for {key}; such a company is only told in the list.");
        }

        var leads = (await reader.Present(workspaceId, scoreName, rows, ct)).OrderByDescending(lead => lead.Total)
            .ThenBy(lead => lead.LeadId, StringComparer.Ordinal).ToArray();
        var totals = leads.Select(lead => (decimal)lead.Total).ToArray();
        var counting = method switch
        {
            AccountScore.Types.Method.Max => 1,
            AccountScore.Types.Method.TopK => k,
            _ => leads.Length,
        };
        var account = ToProto(
            new()
            {
                CompanyKey = key,
                DisplayName = name,
                Sum = totals.Sum(),
                Max = totals[0],
                TopK = totals.Take(k).Sum(),
                LeadCount = leads.Length,
                QualifiedCount = leads.Count(lead => lead.Qualified),
            },
            scoreName, method, k);
        account.Leads.AddRange(leads.Take(leadLimit).Select((lead, index) => new AccountLead
        {
            LeadId = lead.LeadId,
            Total = lead.Total,
            Counted = index < counting ? lead.Total : 0,
            Qualified = lead.Qualified,
        }));
        return account;
    }

    /// <summary>The companies with the highest scores, highest first.</summary>
    public async Task<IReadOnlyList<AccountScore>> Top(
        Guid workspaceId, string scoreName, AccountScore.Types.Method method, int k, int limit, double? minScore, CancellationToken ct)
    {
        await settler.Settle(workspaceId, MaxSettled, wait: true, ct);
        var column = method switch
        {
            AccountScore.Types.Method.Max => "max",
            AccountScore.Types.Method.TopK => "top_k",
            _ => "sum",
        };
        var rows = await work.Read(
            workspaceId, tx => AccountStore.Top(tx, scoreName, column, k, limit, minScore, time.GetUtcNow()), ct);
        return rows.Select(row => ToProto(row, scoreName, method, k)).ToArray();
    }

    private AccountScore ToProto(AccountRow row, string scoreName, AccountScore.Types.Method method, int k) => new()
    {
        CompanyKey = row.CompanyKey,
        DisplayName = row.DisplayName ?? "",
        Score = (double)(method switch
        {
            AccountScore.Types.Method.Max => row.Max,
            AccountScore.Types.Method.TopK => row.TopK,
            _ => row.Sum,
        }),
        Method = method,
        K = k,
        Sum = (double)row.Sum,
        Max = (double)row.Max,
        TopK = (double)row.TopK,
        LeadCount = (int)row.LeadCount,
        QualifiedCount = (int)row.QualifiedCount,
        AsOf = Timestamp.FromDateTimeOffset(time.GetUtcNow()),
        ScoreName = scoreName,
    };
}
