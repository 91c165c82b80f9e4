using Dapper;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Storage;
using Lifecycle.Scoring.V1;
using Lift = Lifecycle.Kernel.Lift;

namespace Lifecycle.Scoring.Features.ActivityEffect;

/// <summary>
/// Compares, for each kind of activity, leads that did it with those that did not. Erased leads are left out: what they did is forgotten.
/// </summary>
public sealed class ActivityEffectReport(UnitOfWork<ScoringDbContext> work)
{
    private const string Fresh =
        """
        select lead_id, customer_time, (
            select min(time) from transition
            where transition.workspace_id = lead.workspace_id and transition.lead_id = lead.lead_id and transition.qualified) qualify_time
        from lead
        where workspace_id = @WorkspaceId and create_time >= @from and create_time < @to and merged_into is null and erase_time is null
        """;

    /// <summary>Reads the period's leads by (workspace_id, create_time), and all their activities: it costs by those. An activity that made
    /// the lead qualify has that very time.</summary>
    private const string Kinds =
        $"""
        with fresh as materialized ({Fresh}),
        did as (
            select activity.lead_id, type, case type when 'FORM' then coalesce(properties->>'formType', '')
                when 'TRACK' then name when 'EMAIL' then name else '' end detail, min(time) first_time
            from activity join fresh using (lead_id)
            where activity.workspace_id = @WorkspaceId group by 1, 2, 3)
        select type, detail, count(*) leads,
            count(*) filter (where qualify_time is null or first_time <= qualify_time) qualify_with,
            count(*) filter (where first_time <= qualify_time) qualify_with_results,
            count(*) filter (where customer_time is null or first_time < customer_time) buy_with,
            count(*) filter (where first_time < customer_time) buy_with_results
        from did join fresh using (lead_id)
        group by 1, 2 order by 3 desc, 1, 2 limit {MaxKinds}
        """;

    private const string MaxKinds = "200";

    public async Task<Result<GetActivityEffectResponse>> Report(
        Guid workspaceId, TimeZoneInfo zone, GetActivityEffectRequest request, CancellationToken ct)
    {
        var violations = new Violations();
        if (violations.RequireDate(request.From, "from", out var first) & violations.RequireDate(request.To, "to", out var end))
        {
            violations.Require(first < end, "to", "to is exclusive and must be after from.");
        }

        if (violations.ToError() is { } error)
        {
            return error;
        }

        var (from, to) = (ReportPeriod.Midnight(first, zone), ReportPeriod.Midnight(end, zone));
        var (totals, kinds) = await work.Read(workspaceId, async tx =>
        {
            var parameters = new { tx.WorkspaceId, from, to };
            var all = await tx.Connection.QuerySingleAsync<TotalsRow>(new CommandDefinition(
                $"select count(*) leads, count(qualify_time) qualified, count(customer_time) customers from ({Fresh}) fresh", parameters,
                cancellationToken: ct));
            return (
                all, (await tx.Connection.QueryAsync<KindRow>(new CommandDefinition(Kinds, parameters, cancellationToken: ct))).AsList());
        }, ct);
        var response = new GetActivityEffectResponse
        {
            Leads = totals.Leads,
            Qualified = totals.Qualified,
            Customers = totals.Customers,
            EmptyReason = totals.Leads == 0 ? $"Nobody became a lead from {request.From} to before {request.To}."
                : kinds.Count == 0 ? $"None of the {totals.Leads} leads has a recorded activity."
                : "",
        };
        response.Activities.AddRange(kinds.Select(kind => new V1.ActivityEffect
        {
            Type = kind.Type,
            Detail = kind.Detail,
            Leads = kind.Leads,
            Qualification = ToProto(Compare(totals.Leads, totals.Qualified, kind.QualifyWith, kind.QualifyWithResults)),
            Conversion = ToProto(Compare(totals.Leads, totals.Customers, kind.BuyWith, kind.BuyWithResults)),
        }));
        return response;
    }

    private static Lift Compare(int leads, int results, int with, int withResults) =>
        new(with, withResults, leads - with, results - withResults);

    private static V1.Lift ToProto(Lift lift)
    {
        var message = new V1.Lift
        {
            WithLeads = lift.With,
            WithResults = lift.WithResults,
            WithoutLeads = lift.Without,
            WithoutResults = lift.WithoutResults,
            Verdict = (V1.Lift.Types.Verdict)lift.Verdict,
        };
        if (lift.WithRate is { } with)
        {
            message.WithRate = with;
        }

        if (lift.WithoutRate is { } without)
        {
            message.WithoutRate = without;
        }

        if (lift.Ratio is { } ratio)
        {
            (message.Ratio, message.RatioLow, message.RatioHigh) = (ratio.Value, ratio.Low, ratio.High);
        }

        if (lift.Difference is { } difference)
        {
            (message.Difference, message.DifferenceLow, message.DifferenceHigh) = (difference.Value, difference.Low, difference.High);
        }

        return message;
    }

    private sealed class TotalsRow
    {
        public int Leads { get; init; }

        public int Qualified { get; init; }

        public int Customers { get; init; }
    }

    private sealed class KindRow
    {
        public string Type { get; init; } = "";

        public string Detail { get; init; } = "";

        public int Leads { get; init; }

        public int QualifyWith { get; init; }

        public int QualifyWithResults { get; init; }

        public int BuyWith { get; init; }

        public int BuyWithResults { get; init; }
    }
}
