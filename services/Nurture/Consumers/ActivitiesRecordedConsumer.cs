using Lifecycle.Contracts;
using Lifecycle.Nurture.Domain.Engagements;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Features.JudgeEngagements;
using Lifecycle.Nurture.Features.JudgeSegments;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Consumers;

/// <summary>
/// Leads did something: it may change their segments, make them enter programs, reopen them after a hand-back, or tell of another system's
/// mail.
/// </summary>
internal sealed class ActivitiesRecordedConsumer(
    UnitOfWork<NurtureDbContext> work,
    ProgramStore programs,
    JudgeLeadHandler judge,
    EnrollLeadHandler enroll,
    RecordExternalHandler external,
    EventGatherer<ActivitiesRecorded> gatherer)
    : GatheringConsumer<ActivitiesRecorded, NurtureDbContext>(work, gatherer)
{
    protected override int Weight(ActivitiesRecorded e) => e.Activities.Count;

    protected override async Task Handle(Transaction<NurtureDbContext> tx, IReadOnlyList<ActivitiesRecorded> events)
    {
        var recorded = events.SelectMany(e => e.Activities).DistinctBy(activity => (activity.LeadId, activity.ActivityId)).ToList();
        if (recorded.Count == 0)
        {
            return;
        }

        var leads = await LeadStore.LockAll(tx, recorded.Select(activity => activity.LeadId).ToList());
        var engagements = new List<(Guid LeadId, DateTimeOffset Time)>();
        var active = await programs.Active(tx);
        var done = new List<(LeadRow Lead, IReadOnlyList<LeadActivity> Activities, IReadOnlyCollection<EntryCause> Causes)>();
        var kept = new List<(Guid LeadId, ActivityInfo Activity)>();
        var mailed = new List<Guid>();
        var happened = new List<(Guid LeadId, ActivityFacts Activity)>();
        foreach (var activities in recorded.GroupBy(activity => activity.LeadId))
        {
            var lead = leads[activities.Key];
            if (lead.MergedInto is not null)
            {
                lead = await LeadStore.LockStanding(tx, lead.LeadId);
            }

            engagements.AddRange(activities.Where(activity => ExternalEmail.IsEngagement(activity.Type, activity.Name))
                .Select(activity => (lead.LeadId, activity.Time)));
            await external.Record(tx, lead, activities);
            // Mail is counted as such, when it is known who opened it.
            var counted = activities.Where(activity => ExternalEmail.FactOf(activity.Name) is null).ToList();
            mailed.AddRange(counted.Count < activities.Count() ? [lead.LeadId] : []);
            kept.AddRange(lead.EraseTime is null ? counted.Select(activity => (lead.LeadId, activity)) : []);
            var facts = activities.Select(Facts).ToList();
            happened.AddRange(facts.Select(activity => (lead.LeadId, activity)));
            var causes = facts.Where(activity => active.Any(program => program.Path.Awaits(activity)))
                .Select(activity => (EntryCause)new ActivityCause(activity)).ToList();
            done.Add((lead, counted.ConvertAll(ActivityStore.Of), causes));
        }

        await enroll.Happened(tx, happened);
        await ActivityStore.Add(tx, kept);
        await Reopenings.Engaged(tx, engagements);
        await judge.Did(tx, done);
        await judge.MailChanged(tx, true, mailed);
    }

    private static ActivityFacts Facts(ActivityInfo activity) =>
        new(activity.Type, activity.Name, activity.Time, activity.Url, activity.Properties);
}
