using Google.Protobuf.WellKnownTypes;
using Lifecycle.Scoring.V1;

namespace Lifecycle.Scoring.Features.SimulateModel;

/// <summary>When a lead would first have qualified in the period.</summary>
/// <param name="Time">When.</param>
/// <param name="Score">Total at that moment.</param>
internal readonly record struct Qualification(DateTimeOffset Time, decimal Score);

/// <summary>What both models made of one lead.</summary>
/// <param name="LeadId">Lead.</param>
/// <param name="Draft">By the draft; null: not in the period.</param>
/// <param name="Current">By the model in force.</param>
/// <param name="IsCustomer">Became a customer in the period or later.</param>
internal readonly record struct LeadOutcome(Guid LeadId, Qualification? Draft, Qualification? Current, bool IsCustomer);

/// <summary>Adds up outcomes, in whatever order they come, and keeps no more leads than are to be listed.</summary>
/// <param name="sampleSize">How many of a kind to list.</param>
internal sealed class SimulationTally(int sampleSize)
{
    private readonly ModelTally draft = new(sampleSize);
    private readonly ModelTally current = new(sampleSize);
    private readonly ModelTally gained = new(sampleSize);
    private readonly ModelTally lost = new(sampleSize);
    private int leads;
    private int customers;
    private long activities;
    private int earlier;
    private int later;
    private int unchanged;
    private double ticksGained;

    /// <param name="outcomes">Outcomes of a page of leads.</param>
    /// <param name="replayed">Their activities.</param>
    public void Add(IReadOnlyCollection<LeadOutcome> outcomes, long replayed)
    {
        activities += replayed;
        leads += outcomes.Count;
        foreach (var outcome in outcomes)
        {
            customers += outcome.IsCustomer ? 1 : 0;
            draft.Add(outcome, outcome.Draft);
            current.Add(outcome, outcome.Current);
            if (outcome is { Draft: { } byDraft, Current: { } byCurrent })
            {
                var order = byDraft.Time.CompareTo(byCurrent.Time);
                earlier += order < 0 ? 1 : 0;
                later += order > 0 ? 1 : 0;
                unchanged += order == 0 ? 1 : 0;
                ticksGained += byCurrent.Time.UtcTicks - byDraft.Time.UtcTicks;
            }
            else
            {
                gained.Add(outcome, outcome.Draft);
                lost.Add(outcome, outcome.Current);
            }
        }
    }

    public SimulateModelResponse ToResponse()
    {
        var comparison = new ModelComparison
        {
            NewlyQualified = gained.Qualified,
            NewlyQualifiedCustomers = gained.Customers,
            NoLongerQualified = lost.Qualified,
            NoLongerQualifiedCustomers = lost.Customers,
            Earlier = earlier,
            Later = later,
            Unchanged = unchanged,
            NewlyQualifiedSample = { gained.Sample() },
            NoLongerQualifiedSample = { lost.Sample() },
        };
        if (earlier + later + unchanged is > 0 and var both)
        {
            comparison.AverageDaysGained = Math.Round(ticksGained / both / TimeSpan.TicksPerDay, 4);
        }

        return new()
        {
            Leads = leads,
            Customers = customers,
            Activities = activities,
            Draft = draft.ToOutcome(customers),
            Current = current.ToOutcome(customers),
            Comparison = comparison,
        };
    }

    private sealed class ModelTally(int sampleSize)
    {
        // The latest of those kept is the first to go.
        private readonly PriorityQueue<SimulatedLead, (DateTimeOffset Time, Guid LeadId)> earliest = new(LatestFirst);

        private static readonly Comparer<(DateTimeOffset Time, Guid LeadId)> LatestFirst =
            Comparer<(DateTimeOffset Time, Guid LeadId)>.Create((left, right) => right.CompareTo(left));

        public int Qualified { get; private set; }

        public int Customers { get; private set; }

        public void Add(LeadOutcome outcome, Qualification? qualification)
        {
            if (qualification is not { } first)
            {
                return;
            }

            Qualified++;
            Customers += outcome.IsCustomer ? 1 : 0;
            var place = (first.Time, outcome.LeadId);
            if (earliest.Count == sampleSize && earliest.TryPeek(out _, out var last) && place.CompareTo(last) > 0)
            {
                return;
            }

            earliest.Enqueue(
                new()
                {
                    LeadId = outcome.LeadId.ToString(),
                    QualifyTime = Timestamp.FromDateTimeOffset(first.Time),
                    Score = (double)first.Score,
                    BecameCustomer = outcome.IsCustomer,
                },
                place);
            if (earliest.Count > sampleSize)
            {
                earliest.Dequeue();
            }
        }

        public IEnumerable<SimulatedLead> Sample() =>
            earliest.UnorderedItems.OrderBy(item => item.Priority).Select(item => item.Element);

        public SimulatedOutcome ToOutcome(int customers)
        {
            var outcome = new SimulatedOutcome { Qualified = Qualified, BecameCustomers = Customers, Sample = { Sample() } };
            if (Qualified > 0)
            {
                outcome.Precision = (double)Customers / Qualified;
            }

            if (customers > 0)
            {
                outcome.Recall = (double)Customers / customers;
            }

            return outcome;
        }
    }
}
