using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Features.ManageModel;
using Lifecycle.Scoring.Storage;
using Lifecycle.Scoring.V1;
using Microsoft.Extensions.Options;

namespace Lifecycle.Scoring.Features.SimulateModel;

/// <summary>
/// Scores the recorded activities of all leads by a draft and by the model in force, as if each had been in force all along and sales had
/// handed nobody back, and compares who would have qualified in a period with who became a customer.
/// </summary>
public sealed class ModelSimulator(
    UnitOfWork<ScoringDbContext> work, ModelStore models, IOptions<ScoringOptions> options, TimeProvider time)
{
    private const int PageSize = 200;
    private const int DefaultDays = 90;
    private const int DefaultSample = 20;
    private const int MaxSample = 1_000;

    public async Task<Result<SimulateModelResponse>> Simulate(
        Guid workspaceId, TimeZoneInfo zone, SimulateModelRequest request, CancellationToken ct)
    {
        var violations = new Violations();
        var draft = request.Model is null
            ? Error.Invalid("model", "model is required.")
            : ModelCompiler.Compile(ModelMessages.ToDefinition(request.Model), 0, "model.");
        foreach (var violation in draft.Error?.Violations ?? [])
        {
            violations.Add(violation.Field, violation.Message);
        }

        violations.Require(request.SampleSize is >= 0 and <= MaxSample, "sampleSize", $"sampleSize is {MaxSample} at most.");
        var period = Period(request, zone, violations);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        var sample = request.SampleSize == 0 ? DefaultSample : request.SampleSize;
        var tally = new Tally(draft.Value, period);
        var current = new Tally((await work.Read(workspaceId, models.Current, ct)).Model, period);
        var (leads, customers, last) = (0, 0, Guid.Empty);
        for (var more = true; more;)
        {
            if (leads >= options.Value.MaxSimulatedLeads)
            {
                return Error.Precondition($"There are more than {options.Value.MaxSimulatedLeads} leads; a simulation looks at no more.");
            }

            var after = last;
            var (rows, activities) = await work.Read(workspaceId, async tx =>
            {
                var page = await LeadStore.Select(
                    tx, "lead_id > @after and create_time < @To and state is not null order by lead_id limit @PageSize",
                    new { after, period.To, PageSize });
                return (page, await LeadStore.Activities(tx, page.Select(row => row.LeadId).ToArray()));
            }, ct);
            foreach (var row in rows)
            {
                leads++;
                customers += row.CustomerTime is null ? 0 : 1;
                tally.Look(row, activities[row.LeadId]);
                current.Look(row, activities[row.LeadId]);
            }

            more = rows.Count == PageSize;
            last = more ? rows[^1].LeadId : last;
        }

        return new SimulateModelResponse
        {
            Leads = leads,
            Customers = customers,
            Draft = tally.Outcome(customers, sample),
            Current = current.Outcome(customers, sample),
        };
    }

    private ReportSpan Period(SimulateModelRequest request, TimeZoneInfo zone, Violations violations)
    {
        var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(time.GetUtcNow(), zone).DateTime);
        var to = today.AddDays(1);
        if (request.To.Length > 0)
        {
            violations.RequireDate(request.To, "to", out to);
        }

        var from = to > DateOnly.MinValue.AddDays(DefaultDays) ? to.AddDays(-DefaultDays) : DateOnly.MinValue;
        if (request.From.Length > 0)
        {
            violations.RequireDate(request.From, "from", out from);
        }

        violations.Require(from < to || violations.Any, "to", "to is exclusive and must be after from.");
        return new(ReportPeriod.Midnight(from, zone), ReportPeriod.Midnight(to, zone));
    }

    private sealed record ReportSpan(DateTimeOffset From, DateTimeOffset To);

    /// <summary>Who would have qualified by one model.</summary>
    private sealed class Tally(Domain.ScoringModel model, ReportSpan period)
    {
        private readonly List<SimulatedLead> qualified = [];

        public void Look(LeadRow row, IEnumerable<Activity> activities)
        {
            var profile = row.Profile is null ? null : JsonSerializer.Deserialize<LeadProfile>(row.Profile, DefaultModel.Json);
            var since = JsonSerializer.Deserialize<Dictionary<string, DateTimeOffset>>(row.Since, DefaultModel.Json)!;
            var outcome = Qualifier.Walk(model, Scorer.Score(model, profile, since, activities), row.CreateTime, Standing.New);
            var first = outcome.Transitions.FirstOrDefault(
                transition => transition.Qualified && transition.Time >= period.From && transition.Time < period.To);
            if (first is not null)
            {
                qualified.Add(new()
                {
                    LeadId = row.LeadId.ToString(),
                    QualifyTime = Timestamp.FromDateTimeOffset(first.Time),
                    Score = (double)first.Score,
                    BecameCustomer = row.CustomerTime is not null,
                });
            }
        }

        public SimulatedOutcome Outcome(int customers, int sample)
        {
            var became = qualified.Count(lead => lead.BecameCustomer);
            var outcome = new SimulatedOutcome { Qualified = qualified.Count, BecameCustomers = became };
            if (qualified.Count > 0)
            {
                outcome.Precision = (double)became / qualified.Count;
            }

            if (customers > 0)
            {
                outcome.Recall = (double)became / customers;
            }

            outcome.Sample.AddRange(
                qualified.OrderBy(lead => lead.QualifyTime).ThenBy(lead => lead.LeadId, StringComparer.Ordinal).Take(sample));
            return outcome;
        }
    }
}
