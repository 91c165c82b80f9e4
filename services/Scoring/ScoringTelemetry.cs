using System.Diagnostics.Metrics;

namespace Lifecycle.Scoring;

/// <summary>Counters of the meter <c>Lifecycle.Scoring</c>.</summary>
public sealed class ScoringTelemetry(IMeterFactory meters)
{
    public const string MeterName = "Lifecycle.Scoring";

    private readonly Counter<long> leads = Counter(meters, "lifecycle.scoring.lead.score", "{lead}", "Leads scored anew.");
    private readonly Counter<long> entries = Counter(meters, "lifecycle.scoring.ledger.write", "{entry}", "Ledger entries written.");
    private readonly Counter<long> qualified = Counter(
        meters, "lifecycle.scoring.lead.qualify", "{lead}", "Leads that crossed the threshold.");
    private readonly Counter<long> demoted = Counter(
        meters, "lifecycle.scoring.lead.demote", "{lead}", "Leads whose score decayed below the threshold.");
    private readonly Counter<long> projected = Counter(meters, "lifecycle.scoring.live.write", "{score}", "Scores written to Redis.");
    private readonly Counter<long> fallbacks = Counter(
        meters, "lifecycle.scoring.live.miss", "{score}", "Scores read from Postgres because Redis had none.");

    public void Scored(long count, long written, long crossed)
    {
        leads.Add(count);
        entries.Add(written);
        qualified.Add(crossed);
    }

    public void Demoted(long count) => demoted.Add(count);

    public void Projected(long count) => projected.Add(count);

    public void FellBack(long count) => fallbacks.Add(count);

    private static Counter<long> Counter(IMeterFactory meters, string name, string unit, string description) =>
        meters.Create(MeterName).CreateCounter<long>(name, unit, description);
}
