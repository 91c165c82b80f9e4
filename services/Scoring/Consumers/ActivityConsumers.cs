using System.Text.Json;
using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Storage;

namespace Lifecycle.Scoring.Consumers;

/// <summary>Known leads did something.</summary>
public sealed class ActivitiesRecordedConsumer(
    UnitOfWork<ScoringDbContext> work, ScoreKeeper keeper, EventGatherer<ActivitiesRecorded> gatherer)
    : GatheringConsumer<ActivitiesRecorded, ScoringDbContext>(work, gatherer)
{
    protected override int Weight(ActivitiesRecorded e) => e.Activities.Count;

    protected override Task Handle(Transaction<ScoringDbContext> tx, IReadOnlyList<ActivitiesRecorded> events) => ActivityWriter.Record(
        tx, keeper,
        events.SelectMany(e => e.Activities).Select(activity => (activity.LeadId, new Activity(
            activity.ActivityId, activity.Type, activity.Name, ProfileWriter.Microseconds(activity.Time), activity.SessionId, activity.Url,
            activity.Properties))).ToArray());
}

/// <summary>A person opened or clicked an e-mail. Scanners and the doubtful never count.</summary>
public sealed class EmailEngagedConsumer(
    UnitOfWork<ScoringDbContext> work, ScoreKeeper keeper, EventGatherer<EmailEngaged> gatherer)
    : GatheringConsumer<EmailEngaged, ScoringDbContext>(work, gatherer)
{
    protected override Task Handle(Transaction<ScoringDbContext> tx, IReadOnlyList<EmailEngaged> events) => ActivityWriter.Record(
        tx, keeper,
        events.Where(e => e.Classification == "HUMAN" && e.Kind is ("OPEN" or "CLICK")).Select(e => (e.LeadId, Activity(e))).ToArray());

    private static Activity Activity(EmailEngaged e)
    {
        var properties = new Dictionary<string, JsonElement> { ["emailId"] = JsonSerializer.SerializeToElement(e.EmailId) };
        if (e.ProgramId is { } programId)
        {
            properties["programId"] = JsonSerializer.SerializeToElement(programId);
        }

        return new(e.ActivityId, Domain.Activity.EmailType, e.Kind, ProfileWriter.Microseconds(e.OccurredAt), null, e.Url, properties);
    }
}

/// <summary>Takes activities, each once, and scores the leads that have new ones.</summary>
internal static class ActivityWriter
{
    public static async Task Record(
        Transaction<ScoringDbContext> tx, ScoreKeeper keeper, IReadOnlyList<(Guid LeadId, Activity Activity)> activities)
    {
        if (activities.Count == 0)
        {
            return;
        }

        var leads = await LeadStore.Lock(tx, activities.Select(entry => entry.LeadId));
        var kept = activities.Where(entry => leads[entry.LeadId].EraseTime is null)
            .Select(entry => (leads[entry.LeadId].LeadId, entry.Activity)).DistinctBy(entry => entry.Activity.Id).ToArray();
        var added = await LeadStore.AddActivities(tx, kept);
        if (added.Count == 0)
        {
            return;
        }

        var times = kept.GroupBy(entry => entry.LeadId).ToDictionary(
            lead => lead.Key, lead => (First: lead.Min(entry => entry.Activity.Time), Last: lead.Max(entry => entry.Activity.Time)));
        await keeper.Score(
            tx, leads.Values.DistinctBy(row => row.LeadId).Where(row => added.ContainsKey(row.LeadId)).ToArray(), row => times[row.LeadId].Last,
            news: added.ToDictionary(lead => lead.Key, lead => new LeadNews(times[lead.Key].First, lead.Value)));
    }
}
