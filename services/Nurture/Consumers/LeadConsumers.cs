using Lifecycle.Contracts;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Features.ErasePerson;
using Lifecycle.Nurture.Features.JudgeSegments;
using Lifecycle.Nurture.Features.MergeLeads;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Consumers;

/// <summary>People became known.</summary>
internal sealed class LeadCapturedConsumer(
    UnitOfWork<NurtureDbContext> work, JudgeLeadHandler judge, EventGatherer<LeadCaptured> gatherer)
    : GatheringConsumer<LeadCaptured, NurtureDbContext>(work, gatherer)
{
    protected override async Task Handle(Transaction<NurtureDbContext> tx, IReadOnlyList<LeadCaptured> events)
    {
        var leads = await LeadStore.LockDetached(tx, events.Select(e => e.LeadId).ToList());
        var changes = new List<LeadChange>();
        foreach (var captures in events.OrderBy(e => e.Version).GroupBy(e => e.LeadId).Where(group => leads[group.Key].MergedInto is null))
        {
            var lead = leads[captures.Key];
            var before = JudgeLeadHandler.Known(lead);
            foreach (var e in captures)
            {
                LeadStore.TakeProfile(lead, LeadStore.Profile.From(e));
                lead.FormType = e.FormType;
            }

            changes.Add(new(before, lead, [.. captures.Select(e => new CapturedCause(e.CaptureType, e.CreateTime))]));
        }

        LeadStore.WriteProfiles(tx, changes.ConvertAll(change => change.Lead));
        await judge.Changed(tx, changes);
    }
}

/// <summary>Profiles changed.</summary>
internal sealed class LeadUpdatedConsumer(
    UnitOfWork<NurtureDbContext> work, JudgeLeadHandler judge, EventGatherer<LeadUpdated> gatherer)
    : GatheringConsumer<LeadUpdated, NurtureDbContext>(work, gatherer)
{
    protected override async Task Handle(Transaction<NurtureDbContext> tx, IReadOnlyList<LeadUpdated> events)
    {
        var leads = await LeadStore.LockDetached(tx, events.Select(e => e.LeadId).ToList());
        var changes = new List<LeadChange>();
        foreach (var e in events.GroupBy(e => e.LeadId).Select(updates => updates.MaxBy(e => e.Version)!))
        {
            var lead = leads[e.LeadId];
            var before = JudgeLeadHandler.Known(lead);
            if (LeadStore.TakeProfile(lead, LeadStore.Profile.From(e)))
            {
                changes.Add(new(before, lead, []));
            }
        }

        LeadStore.WriteProfiles(tx, changes.ConvertAll(change => change.Lead));
        await judge.Changed(tx, changes);
    }
}

/// <summary>A known person's visit began: its source is the last one now.</summary>
internal sealed class SessionStartedConsumer(UnitOfWork<NurtureDbContext> work, JudgeLeadHandler judge)
    : EventConsumer<SessionStarted, NurtureDbContext>(work)
{
    protected override async Task Handle(Transaction<NurtureDbContext> tx, SessionStarted e)
    {
        if (e.LeadId is not { } leadId)
        {
            return;
        }

        var lead = await LeadStore.LockStanding(tx, leadId);
        var before = JudgeLeadHandler.Known(lead);
        if (LeadStore.TakeTouch(lead, e.Touch))
        {
            await tx.Db.SaveChangesAsync(tx.CancellationToken);
            await judge.Changed(tx, before, lead);
        }
    }
}

/// <summary>Scores changed.</summary>
internal sealed class LeadScoreChangedConsumer(
    UnitOfWork<NurtureDbContext> work, JudgeLeadHandler judge, EventGatherer<LeadScoreChanged> gatherer)
    : GatheringConsumer<LeadScoreChanged, NurtureDbContext>(work, gatherer)
{
    protected override async Task Handle(Transaction<NurtureDbContext> tx, IReadOnlyList<LeadScoreChanged> events)
    {
        var leads = await LeadStore.LockDetached(tx, events.Select(e => e.LeadId).ToList());
        var standing = events.Where(e => leads[e.LeadId] is { EraseTime: null, MergedInto: null }).OrderBy(e => e.Version).ToList();
        ScoreHistory.Add(tx, standing);
        var changes = new List<LeadChange>();
        foreach (var scores in standing.Where(e => e.Version > leads[e.LeadId].ScoreVersion).GroupBy(e => e.LeadId).ToList())
        {
            var lead = leads[scores.Key];
            var (before, causes) = (JudgeLeadHandler.Known(lead), new List<EntryCause>());
            // Each threshold on the way is crossed.
            foreach (var e in scores)
            {
                causes.Add(new ScoreCause(lead.Score, lead.Band, e.Total, e.Band));
                (lead.ScoreVersion, lead.Score, lead.Grade, lead.Band) = (e.Version, e.Total, e.Grade, e.Band);
            }

            changes.Add(new(before, lead, causes)
            {
                After = before is null ? null : before with { Score = lead.Score, Grade = lead.Grade, Band = lead.Band },
            });
        }

        LeadStore.WriteScores(tx, changes.ConvertAll(change => change.Lead));
        await judge.Changed(tx, changes);
    }
}

/// <summary>The lead moved: programs end or begin, and the numbers of MQLs and hand-backs grow.</summary>
internal sealed class LeadStageChangedConsumer(UnitOfWork<NurtureDbContext> work, JudgeLeadHandler judge, EndEnrollments ends)
    : EventConsumer<LeadStageChanged, NurtureDbContext>(work)
{
    protected override async Task Handle(Transaction<NurtureDbContext> tx, LeadStageChanged e)
    {
        var named = await LeadStore.Lock(tx, e.LeadId);
        var lead = named.MergedInto is null ? named : await LeadStore.LockStanding(tx, e.LeadId);
        await Count(tx, lead, e);
        // A stale move is history; one of a lead that was merged says nothing of the lead it became.
        if (e.Version <= named.StageVersion || named.MergedInto is not null || !StageNames.TryParse(e.To, out var stage))
        {
            return;
        }

        var before = JudgeLeadHandler.Known(lead);
        (lead.StageVersion, lead.Stage) = (e.Version, e.To);
        await tx.Db.SaveChangesAsync(tx.CancellationToken);
        await ends.OnStage(tx, lead.LeadId, stage);
        await judge.Changed(tx, before, lead, new StageCause(stage, e.Reason, e.OccurredAt));
    }

    private static async Task Count(Transaction<NurtureDbContext> tx, LeadRow lead, LeadStageChanged e)
    {
        // A move back to MQL, say from a lost opportunity, makes no new one.
        if (e.To == Stage.Mql.Name() && StageNames.TryParse(e.From, out var from) && from < Stage.Mql)
        {
            tx.Db.Mqls.Add(
                new MqlRow { WorkspaceId = tx.WorkspaceId, Id = e.EventId, LeadId = lead.LeadId, Time = e.OccurredAt.ToUniversalTime() });
        }

        if (e.Reason == "RECYCLED")
        {
            await Reopenings.Returned(tx, e.EventId, lead, e.OccurredAt);
        }
    }
}

/// <summary>Sales said why it handed a lead back; the move itself comes as <see cref="LeadStageChanged"/>.</summary>
internal sealed class LeadReturnedConsumer(UnitOfWork<NurtureDbContext> work, JudgeLeadHandler judge)
    : EventConsumer<LeadReturned, NurtureDbContext>(work)
{
    protected override async Task Handle(Transaction<NurtureDbContext> tx, LeadReturned e)
    {
        var lead = await LeadStore.LockStanding(tx, e.LeadId);
        if (lead.EraseTime is null && !(e.OccurredAt <= lead.ReturnTime))
        {
            var before = JudgeLeadHandler.Known(lead);
            (lead.ReturnReason, lead.ReturnTime) = (e.Reason, e.OccurredAt.ToUniversalTime());
            await tx.Db.SaveChangesAsync(tx.CancellationToken);
            await judge.Changed(tx, before, lead);
        }
    }
}

/// <summary>Two leads proved to be one person.</summary>
internal sealed class LeadsMergedConsumer(UnitOfWork<NurtureDbContext> work, JudgeLeadHandler judge)
    : EventConsumer<LeadsMerged, NurtureDbContext>(work)
{
    protected override async Task Handle(Transaction<NurtureDbContext> tx, LeadsMerged e)
    {
        if (await MergeLeadsHandler.Merge(tx, e.SourceLeadId, e.TargetLeadId) is { } target)
        {
            // What the source did, and the lists it was on, are the target's now.
            await tx.Db.SaveChangesAsync(tx.CancellationToken);
            await judge.Changed(tx, null, target);
        }
    }
}

/// <summary>The person asked to be forgotten.</summary>
internal sealed class LeadErasedConsumer(UnitOfWork<NurtureDbContext> work) : EventConsumer<LeadErased, NurtureDbContext>(work)
{
    protected override async Task Handle(Transaction<NurtureDbContext> tx, LeadErased e) =>
        await PersonErasure.Confirm(tx, e, "nurture", await ErasePersonHandler.Erase(tx, e.LeadId));
}
