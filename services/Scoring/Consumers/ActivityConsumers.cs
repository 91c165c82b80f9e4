using System.Text.Json;
using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Storage;

namespace Lifecycle.Scoring.Consumers;

/// <summary>Known leads did something.</summary>
public sealed class ActivitiesRecordedConsumer(UnitOfWork<ScoringDbContext> work, ScoreKeeper keeper)
    : EventConsumer<ActivitiesRecorded, ScoringDbContext>(work)
{
    protected override Task Handle(Transaction<ScoringDbContext> tx, ActivitiesRecorded e) => ActivityWriter.Record(
        tx, keeper,
        e.Activities.Select(activity => (activity.LeadId, new Activity(
            activity.ActivityId, activity.Type, activity.Name, ProfileWriter.Microseconds(activity.Time), activity.SessionId, activity.Url,
            activity.Properties))).ToArray());
}

/// <summary>A person opened or clicked an e-mail. Scanners and the doubtful never count.</summary>
public sealed class EmailEngagedConsumer(UnitOfWork<ScoringDbContext> work, ScoreKeeper keeper)
    : EventConsumer<EmailEngaged, ScoringDbContext>(work)
{
    protected override async Task Handle(Transaction<ScoringDbContext> tx, EmailEngaged e)
    {
        if (e.Classification != "HUMAN" || e.Kind is not ("OPEN" or "CLICK"))
        {
            return;
        }

        var properties = new Dictionary<string, JsonElement> { ["emailId"] = JsonSerializer.SerializeToElement(e.EmailId) };
        if (e.ProgramId is { } programId)
        {
            properties["programId"] = JsonSerializer.SerializeToElement(programId);
        }

        var activity = new Activity(
            e.ActivityId, Activity.EmailType, e.Kind, ProfileWriter.Microseconds(e.OccurredAt), null, e.Url, properties);
        await ActivityWriter.Record(tx, keeper, [(e.LeadId, activity)]);
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
        var changed = await LeadStore.AddActivities(tx, kept);
        if (changed.Count == 0)
        {
            return;
        }

        var times = kept.GroupBy(entry => entry.LeadId).ToDictionary(
            lead => lead.Key, lead => (First: lead.Min(entry => entry.Activity.Time), Last: lead.Max(entry => entry.Activity.Time)));
        var rows = leads.Values.DistinctBy(row => row.LeadId).Where(row => changed.Contains(row.LeadId)).ToArray();
        await keeper.Score(tx, rows, row => times[row.LeadId].Last, newFrom: row => times[row.LeadId].First);
    }
}
