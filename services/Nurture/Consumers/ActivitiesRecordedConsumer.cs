using Lifecycle.Contracts;
using Lifecycle.Nurture.Domain.Engagements;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Features.JudgeEngagements;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Consumers;

/// <summary>
/// Leads did something: it may make them enter programs, reopen them after a hand-back, or tell of another system's mail.
/// </summary>
internal sealed class ActivitiesRecordedConsumer(
    UnitOfWork<NurtureDbContext> work, ProgramStore programs, EnrollLeadHandler enroll, RecordExternalHandler external)
    : EventConsumer<ActivitiesRecorded, NurtureDbContext>(work)
{
    protected override async Task Handle(Transaction<NurtureDbContext> tx, ActivitiesRecorded e)
    {
        if (e.Activities.Count == 0)
        {
            return;
        }

        var leads = await LeadStore.LockAll(tx, e.Activities.Select(activity => activity.LeadId).ToList());
        var engagements = new List<(Guid LeadId, DateTimeOffset Time)>();
        var names = (await programs.Active(tx)).SelectMany(program => program.Path.EntryTriggers).OfType<EventTrigger>()
            .Select(trigger => trigger.EventName).ToHashSet();
        foreach (var activities in e.Activities.GroupBy(activity => activity.LeadId))
        {
            var lead = leads[activities.Key];
            if (lead.MergedInto is not null)
            {
                lead = await LeadStore.LockStanding(tx, lead.LeadId);
            }

            engagements.AddRange(activities.Where(activity => ExternalEmail.IsEngagement(activity.Type, activity.Name))
                .Select(activity => (lead.LeadId, activity.Time)));
            await external.Record(tx, lead, activities);
            var causes = activities.Where(activity => names.Contains(activity.Name));
            await enroll.EnterAll(tx, lead, [.. causes.Select(activity => new ActivityCause(activity.Name, activity.Time))]);
        }

        await Reopenings.Engaged(tx, engagements);
    }
}
