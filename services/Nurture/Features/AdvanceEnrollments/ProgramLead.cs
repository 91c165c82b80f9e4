using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Storage;

namespace Lifecycle.Nurture.Features.AdvanceEnrollments;

/// <summary>A lead as the engine asks for it: its facts, and what mail it may still get.</summary>
/// <param name="row">The lead; null where nothing is known of it: no condition holds then.</param>
/// <param name="leadId">Its id.</param>
/// <param name="now">Time of the advance.</param>
/// <param name="workspaceZone">Zone of leads that tell none.</param>
/// <param name="programs">Reads conditions.</param>
/// <param name="sendings">The workspace's rules and the lead's mails; shared by all of its enrollments.</param>
internal sealed class ProgramLead(
    LeadRow? row, Guid leadId, DateTimeOffset now, TimeZoneInfo workspaceZone, ProgramStore programs, LeadSendings sendings) : IProgramLead
{
    private LeadFacts? facts;
    private SegmentSubject? subject;
    private TimeZoneInfo? zone;

    public Guid Id => leadId;

    public TimeZoneInfo Zone => zone ??= LocalTime.ZoneOf(Trait, workspaceZone);

    /// <summary>Its program's mails keep to no rules.</summary>
    public bool IsTransactional { get; init; }

    /// <summary>What the lead did, the segments it is in, and what became of the enrollment's mails.</summary>
    public ProgramReads Reads { get; init; } = ProgramReads.None;

    /// <summary>Whose advance it is; empty for one that is only tried.</summary>
    public Guid EnrollmentId { get; init; }

    public bool Holds(string condition) =>
        Facts is { } known && programs.ConditionOf(condition) is { } read
            && read.Holds(subject ??= new(known, Reads.Activities(leadId), Reads.Members(leadId), workspaceZone), now);

    public void ChangeList(Guid list, bool adds) => Reads.ChangeList(leadId, list, adds);

    public DateTimeOffset? Engaged(WaitEmailStep wait) => Reads.Engaged(EnrollmentId, wait);

    public string? Trait(string name) => Facts?.Trait(name);

    public void SetTrait(string name, string? value)
    {
        if (Facts is not { } known)
        {
            return;
        }

        var traits = known.Traits.Where(trait => !trait.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).ToDictionary();
        if (value is not null)
        {
            traits[name] = value;
        }

        (facts, zone, subject) = (known with { Traits = traits }, null, null);
    }

    public SendVerdict MaySend(DateTimeOffset at) => IsTransactional ? SendVerdict.Go : sendings.Ask(at, Zone);

    private LeadFacts? Facts => row is null ? null : facts ??= LeadStore.Facts(row);
}

/// <summary>Mails of one lead within the longest window of the caps.</summary>
internal sealed class LeadSendings(SendingPolicy policy, IEnumerable<DateTimeOffset> earlier)
{
    private readonly List<DateTimeOffset> times = [.. earlier];

    /// <summary>Asks for one more mail, and counts it where it goes.</summary>
    public SendVerdict Ask(DateTimeOffset now, TimeZoneInfo zone)
    {
        var verdict = policy.Admit(now, zone, times);
        if (verdict.Goes)
        {
            times.Add(now);
        }

        return verdict;
    }
}
