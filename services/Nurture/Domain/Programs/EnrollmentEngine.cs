using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Lifecycle.Nurture.Domain.Programs;

/// <summary>Where an enrollment stands.</summary>
public enum EnrollmentState
{
    /// <summary>In the path.</summary>
    Active = 1,

    /// <summary>Passed the whole path.</summary>
    Completed = 2,

    /// <summary>Left before its end.</summary>
    Exited = 3,

    /// <summary>Reached the goal.</summary>
    Converted = 4,
}

/// <summary>The place of an enrollment.</summary>
/// <param name="StepId">Step it stands at.</param>
/// <param name="Visit">Steps it came to before this one: with the step's name it tells apart the visits of a loop.</param>
/// <param name="EnterTime">When it came there.</param>
/// <param name="DueAt">When the step ends of itself.</param>
/// <param name="EventTime">When what it waited for happened; null: it did not.</param>
public sealed record Position(string StepId, int Visit, DateTimeOffset EnterTime, DateTimeOffset DueAt, DateTimeOffset? EventTime = null);

/// <summary>A visit of a step.</summary>
public readonly record struct StepVisit(Step Step, int Visit);

/// <summary>What one advance did.</summary>
/// <param name="Completed">
/// Visits that ended, in order; the first is the one the enrollment stood at, none where it still stands there.
/// </param>
/// <param name="Effects">Visits of those whose step does something: mails, traits, lists, webhooks, the hand-over.</param>
/// <param name="Skipped">Mails of <paramref name="Completed"/> that a frequency cap left out.</param>
/// <param name="State">State after.</param>
/// <param name="At">Where the enrollment now stands; null once it has ended.</param>
/// <param name="WaitsFor">Name of the event it waits for; null: none.</param>
/// <param name="ExitReason">Why it left, for <see cref="EnrollmentState.Exited"/>.</param>
public sealed record Advance(
    IReadOnlyList<StepVisit> Completed,
    IReadOnlyList<StepVisit> Effects,
    IReadOnlyList<StepVisit> Skipped,
    EnrollmentState State,
    Position? At,
    string? WaitsFor,
    string? ExitReason);

/// <summary>What the engine asks of a lead. Answers are as of the advance's time.</summary>
public interface IProgramLead
{
    /// <summary>The lead's id; shares of a split go by it.</summary>
    Guid Id { get; }

    /// <summary>The lead's zone.</summary>
    TimeZoneInfo Zone { get; }

    /// <summary>Whether a branch's condition holds.</summary>
    bool Holds(string condition);

    /// <summary>A trait, or null.</summary>
    string? Trait(string name);

    /// <summary>A trait that the path has set: what is asked after it sees the new value.</summary>
    void SetTrait(string name, string? value);

    /// <summary>A list that the path has changed: what is asked after it sees that at once.</summary>
    void ChangeList(Guid list, bool adds);

    /// <summary>When a person did with the mail what the step waits for; null: not yet, as far as is known.</summary>
    DateTimeOffset? Engaged(WaitEmailStep wait);

    /// <summary>Whether a mail may go now; counts it as sent where it does.</summary>
    SendVerdict MaySend(DateTimeOffset now);
}

/// <summary>
/// Moves an enrollment along the graph of its program. Pure: the same place, time and lead give the same advance. A path without waits is
/// passed in one advance; the check of the graph has made sure that no loop is without one.
/// </summary>
public static class EnrollmentEngine
{
    /// <summary>The step at which an enrollment stood is no longer in the path.</summary>
    public const string StepRemoved = "STEP_REMOVED";

    /// <summary>The enrollment came to more than <see cref="MaxVisits"/> steps.</summary>
    public const string LoopLimit = "LOOP_LIMIT";

    /// <summary>Steps that one enrollment may come to: a loop ends at last.</summary>
    public const int MaxVisits = 1000;

    /// <summary>The place of a new enrollment.</summary>
    /// <param name="path">The graph.</param>
    /// <param name="start">When the first step begins; in the future for entries by date.</param>
    /// <param name="lead">Who enters.</param>
    /// <param name="waitsFor">Event that the first step waits for.</param>
    public static Position Begin(ProgramPath path, DateTimeOffset start, IProgramLead lead, out string? waitsFor)
    {
        var first = path.Steps[0];
        waitsFor = WaitsFor(first);
        return new(first.Id, 0, start, DueAt(first, start, lead) ?? start);
    }

    /// <summary>
    /// Ends the step that is due and every following one that takes no time, up to the next wait or the end. Waits count from
    /// <paramref name="now"/>, so that a late or paused advance never shortens one.
    /// </summary>
    /// <param name="path">The program's graph.</param>
    /// <param name="position">Where the enrollment stands, due.</param>
    /// <param name="now">Present time.</param>
    /// <param name="lead">Whose enrollment it is.</param>
    public static Advance Advance(ProgramPath path, Position position, DateTimeOffset now, IProgramLead lead)
    {
        var (completed, effects, skipped) = (new List<StepVisit>(), new List<StepVisit>(), new List<StepVisit>());
        var (index, visit, enterTime) = (path.IndexOf(position.StepId), position.Visit, position.EnterTime);
        if (index < 0)
        {
            return new(completed, effects, skipped, EnrollmentState.Exited, null, null, StepRemoved);
        }

        // Of a date wait: whether the enrollment has waited for it, or came when the date was unknown or past.
        var happened = position.EventTime is not null || (path.Steps[index] is WaitDateStep && position.DueAt > position.EnterTime)
            || (path.Steps[index] is WaitEmailStep mail && lead.Engaged(mail) <= position.DueAt);
        while (true)
        {
            var at = new StepVisit(path.Steps[index], visit);
            if (at.Step is SendEmailStep)
            {
                var verdict = lead.MaySend(now);
                if (verdict.Until is { } until)
                {
                    return new(
                        completed, effects, skipped, EnrollmentState.Active, new(at.Step.Id, visit, enterTime, until), null, null);
                }

                (verdict.Goes ? effects : skipped).Add(at);
            }
            else if (at.Step is UpdateTraitStep or UpdateListStep or NotifyStep or HandToSalesStep)
            {
                effects.Add(at);
            }

            completed.Add(at);
            if (at.Step is UpdateTraitStep update)
            {
                lead.SetTrait(update.Trait, update.Value);
            }
            else if (at.Step is UpdateListStep list)
            {
                lead.ChangeList(list.SegmentId, list.Adds);
            }

            if (at.Step.IsEnd)
            {
                var state = at.Step is ExitStep ? EnrollmentState.Completed : EnrollmentState.Converted;
                return new(completed, effects, skipped, state, null, null, null);
            }

            index = Follow(path, index, lead, happened);
            if (index >= path.Steps.Count)
            {
                return new(completed, effects, skipped, EnrollmentState.Completed, null, null, null);
            }

            if (++visit >= MaxVisits)
            {
                return new(completed, effects, skipped, EnrollmentState.Exited, null, null, LoopLimit);
            }

            enterTime = now;
            // A mail that has only just been queued is opened by nobody yet, whatever became of earlier ones of its step.
            happened = path.Steps[index] is WaitEmailStep wait && lead.Engaged(wait) is not null
                && !effects.Concat(skipped).Any(sent => sent.Step is SendEmailStep && wait.IsOf(sent.Step.Id));
            if (!happened && DueAt(path.Steps[index], now, lead) is { } due)
            {
                return new(
                    completed, effects, skipped, EnrollmentState.Active, new(path.Steps[index].Id, visit, now, due),
                    WaitsFor(path.Steps[index]), null);
            }
        }
    }

    /// <summary>Share of a split that a lead falls into, 0 to 99: the same for the same seed, whatever else happens.</summary>
    public static int Share(string seed, Guid leadId)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}:{leadId:N}"), hash);
        return (int)(BinaryPrimitives.ReadUInt64BigEndian(hash) % 100);
    }

    /// <summary>Place of the step that follows; beyond the last: the end.</summary>
    private static int Follow(ProgramPath path, int index, IProgramLead lead, bool happened)
    {
        var step = path.Steps[index];
        var target = step switch
        {
            BranchStep branch when !lead.Holds(branch.Condition) => branch.ElseStepId ?? ProgramPath.End,
            SplitStep split => WayOf(split, Share(split.Seed, lead.Id)),
            WaitEventStep { TimeoutStepId: { } timeout } when !happened => timeout,
            WaitEmailStep { TimeoutStepId: { } timeout } when !happened => timeout,
            WaitDateStep { ElseStepId: { } missing } when !happened => missing,
            _ => null,
        } ?? step.Next;
        return target == ProgramPath.End ? path.Steps.Count : target is null ? index + 1 : path.IndexOf(target);
    }

    private static string? WaitsFor(Step step) => step switch
    {
        WaitEventStep wait => wait.EventName,
        WaitEmailStep wait => wait.WaitsFor,
        _ => null,
    };

    private static string? WayOf(SplitStep split, int share)
    {
        foreach (var way in split.Ways)
        {
            share -= way.Percent;
            if (share < 0)
            {
                return way.StepId;
            }
        }

        return null;
    }

    /// <summary>When a step that the lead comes to ends; null: at once.</summary>
    private static DateTimeOffset? DueAt(Step step, DateTimeOffset now, IProgramLead lead) => step switch
    {
        WaitStep wait => now + wait.Duration,
        WaitTimeStep wait => LocalTime.Next(now, wait.At, wait.Days, lead.Zone),
        WaitEventStep wait => now + wait.Timeout,
        WaitEmailStep wait => now + wait.Timeout,
        WaitDateStep wait => DateOf(wait, now, lead),
        _ => null,
    };

    private static DateTimeOffset? DateOf(WaitDateStep wait, DateTimeOffset now, IProgramLead lead) =>
        LocalTime.ReadDay(lead.Trait(wait.Trait)) is { } day
            ? LocalTime.DueOn(day, wait.OffsetDays, wait.At, wait.Yearly, now, lead.Zone) : null;
}
