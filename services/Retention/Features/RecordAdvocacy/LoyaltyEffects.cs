using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;

namespace Lifecycle.Retention.Features.RecordAdvocacy;

/// <summary>
/// Whether members of a loyalty program stay and buy more than others. Compared are customers when the period began: those who were members
/// by then, and those who were not and did not become so within it, by the month in which they began.
/// </summary>
internal static class LoyaltyEffects
{
    public static async Task Add(Transaction<RetentionDbContext> tx, ReportPeriod period, IEnumerable<LoyaltyProgramActivity> programs)
    {
        var cohorts = (await tx.Connection.QueryAsync<Cohort>(new CommandDefinition(
            $"""
            with present as (
              select c.id, {Facts.Dimensions["cohort"]} as month,
                not exists (
                  select 1 from revenue e where e.workspace_id = @workspaceId and e.customer_id = c.id and e.type = 'Churn'
                    and e.occur_time >= @from and e.occur_time < @to) as stayed,
                exists (
                  select 1 from revenue e where e.workspace_id = @workspaceId and e.customer_id = c.id and e.type in ('Upsell', 'CrossSell')
                    and e.occur_time >= @from and e.occur_time < @to and e.base_amount > 0) as grew
              from customer c
              where c.workspace_id = @workspaceId and c.start_time < @from and coalesce((
                select e.type from revenue e where e.workspace_id = @workspaceId and e.customer_id = c.id and e.type in ('Churn', 'Reactivation')
                  and e.occur_time < @from order by e.occur_time desc, e.id desc limit 1), '') <> 'Churn')
            select p.id as program_id, count(m.customer_id) as members, count(m.customer_id) filter (where c.stayed) as members_stayed,
              count(m.customer_id) filter (where c.grew) as members_grew, count(*) filter (where m.customer_id is null) as others,
              count(*) filter (where m.customer_id is null and c.stayed) as others_stayed,
              count(*) filter (where m.customer_id is null and c.grew) as others_grew
            from loyalty_program p cross join present c
            left join loyalty_member m on m.workspace_id = @workspaceId and m.program_id = p.id and m.customer_id = c.id
            where p.workspace_id = @workspaceId and (m.join_time is null or m.join_time < @from) group by p.id, c.month
            """,
            new { workspaceId = tx.WorkspaceId, from = period.From, to = period.To, timeZone = period.TimeZone.Id },
            cancellationToken: tx.CancellationToken))).ToLookup(cohort => cohort.ProgramId);
        foreach (var program in programs)
        {
            var of = cohorts[Guid.Parse(program.ProgramId)].ToArray();
            var stayed =
                of.Select(cohort => new CohortPair(cohort.Members, cohort.MembersStayed, cohort.Others, cohort.OthersStayed)).ToArray();
            (program.ComparedMembers, program.ComparedOthers) = ComparedShares.Comparable(stayed);
            program.RetentionEffect = Effect(stayed);
            program.UpsellEffect = Effect(
                of.Select(cohort => new CohortPair(cohort.Members, cohort.MembersGrew, cohort.Others, cohort.OthersGrew)).ToArray());
            program.EffectNote = program is { ComparedMembers: >= ComparedShares.Least, ComparedOthers: >= ComparedShares.Least }
                ? ""
                : $"Members: {program.ComparedMembers}; other customers of the same starting months: {program.ComparedOthers}. A comparison takes {ComparedShares.Least} of each.";
        }
    }

    private static LoyaltyEffect? Effect(CohortPair[] cohorts) => ComparedShares.Compare(cohorts) is { } effect
        ? new()
        {
            MembersShare = effect.MembersShare,
            OthersShare = effect.MembersShare - effect.Difference,
            Difference = effect.Difference,
            Low = effect.Low,
            High = effect.High,
        }
        : null;

    private sealed class Cohort
    {
        public Guid ProgramId { get; init; }

        public long Members { get; init; }

        public long MembersStayed { get; init; }

        public long MembersGrew { get; init; }

        public long Others { get; init; }

        public long OthersStayed { get; init; }

        public long OthersGrew { get; init; }
    }
}
