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

        var leads = await LeadStore.Lock(tx, activities.Select(entry => entry.LeadId), withFacts: false);
        var came = activities.Where(entry => leads[entry.LeadId].EraseTime is null).DistinctBy(entry => entry.Activity.Id)
            .GroupBy(entry => leads[entry.LeadId], entry => Stored(entry.Activity)).ToArray();
        await keeper.Record(tx, [.. came.Select(ofLead => (ofLead.Key, ofLead.ToList()))]);
    }

    private static Activity Stored(Activity activity) =>
        StoredText.IsClean(activity.Type) && StoredText.IsClean(activity.Name) && StoredText.IsClean(activity.Url)
            ? activity
            : activity with
            {
                Type = StoredText.Clean(activity.Type),
                Name = StoredText.Clean(activity.Name),
                Url = StoredText.Clean(activity.Url),
            };
}
