using Lifecycle.Kernel;

namespace Lifecycle.Nurture.Domain.Programs;

/// <summary>How leads enter, pass through and leave a program.</summary>
/// <param name="EntryTriggers">Any one makes a lead enter; 1 to <see cref="MaxTriggers"/>.</param>
/// <param name="Steps">The graph; 1 to <see cref="MaxSteps"/> steps, of which the first is the beginning.</param>
/// <param name="ExitOnStages">Stages at which a lead leaves.</param>
/// <param name="GoalStage">Stage at which the program has done its work.</param>
/// <param name="Reentry">Whether a lead may enter again.</param>
public sealed record ProgramPath(
    IReadOnlyList<EntryTrigger> EntryTriggers,
    IReadOnlyList<Step> Steps,
    IReadOnlyList<Stage> ExitOnStages,
    Stage? GoalStage,
    Reentry Reentry)
{
    /// <summary>In place of a step's name: the end of the path.</summary>
    public const string End = "";

    public const int MaxTriggers = 10;
    public const int MaxSteps = 100;

    /// <summary>Longest key of an enrollment, characters; a longer one is none.</summary>
    public const int MaxKey = 200;

    /// <summary>Property of the event that is the enrollment's key, e.g. <c>cart_id</c>; null where entries have none.</summary>
    public string? ReentryKey { get; init; }

    /// <summary>Mails of this program keep to no quiet hours and no caps, and do not count for them: receipts and the like.</summary>
    public bool IsTransactional { get; init; }

    /// <summary>Share of the leads that the program holds out as its control group, percent; see <see cref="HoldOut"/>.</summary>
    public int HoldOutPercent { get; init; }

    /// <summary>Longest wait of one step.</summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromDays(366);

    /// <summary>Whether a step sends the e-mail.</summary>
    public bool Sends(Guid emailId) => Steps.OfType<SendEmailStep>().Any(step => step.EmailId == emailId);

    /// <summary>Place of a step, or -1 when the path has it no more.</summary>
    public int IndexOf(string stepId)
    {
        for (var index = 0; index < Steps.Count; index++)
        {
            if (Steps[index].Id == stepId)
            {
                return index;
            }
        }

        return -1;
    }

    /// <summary>The steps that one advance from a step may pass or come to: on from it, up to those that take time.</summary>
    public IReadOnlyList<Step> Ahead(string stepId)
    {
        var start = IndexOf(stepId);
        if (start < 0)
        {
            return [];
        }

        var (reached, waiting) = (new HashSet<int> { start }, new Stack<int>([start]));
        while (waiting.TryPop(out var index))
        {
            if (index != start && Steps[index].TakesTime)
            {
                continue;
            }

            foreach (var next in PathCheck.Following(this, index).Where(reached.Add))
            {
                waiting.Push(next);
            }
        }

        return [.. reached.Order().Select(index => Steps[index])];
    }

    /// <summary>
    /// Whether a lead at the stage is where the program wants it. In the funnel a later stage than the goal will do, since leads may jump.
    /// </summary>
    public bool IsGoalReached(Stage stage) =>
        GoalStage is { } goal && (stage == goal || (goal <= Stage.Advocate && stage <= Stage.Advocate && stage > goal));

    /// <summary>Whether an activity may make a lead enter, as far as its name and kind tell.</summary>
    public bool Awaits(ActivityFacts activity) => EntryTriggers.Any(
        trigger => trigger is FormTrigger ? activity.Type == "FORM" : trigger is EventTrigger did && did.EventName == activity.Name);

    /// <summary>Key of an enrollment that the cause begins; empty where the program has none, or the cause lacks it.</summary>
    public string KeyOf(EntryCause cause) => Reentry != Reentry.PerKey ? "" : cause switch
    {
        ActivityCause did => did.Activity.Text(ReentryKey!) is { Length: <= MaxKey } key ? key : "",
        ManualCause manual => manual.Key,
        _ => "",
    };

    /// <summary>The trigger that lets the lead in for this cause, or null. A lead at an exit stage or at the goal does not enter.</summary>
    /// <param name="cause">What happened.</param>
    /// <param name="stage">The lead's stage; null: not known yet.</param>
    /// <param name="now">Present time.</param>
    /// <param name="holds">Whether a trigger's condition holds for an activity; null: conditions are not asked.</param>
    public EntryTrigger? Admits(
        EntryCause cause, Stage? stage, DateTimeOffset now, Func<string, ActivityFacts, bool>? holds = null) =>
        stage is { } current && (ExitOnStages.Contains(current) || IsGoalReached(current))
            ? null
            : cause is ManualCause ? new ManualTrigger()
            : EntryTriggers.FirstOrDefault(trigger => trigger.Matches(cause, now) && (holds is null
                || trigger is not EventTrigger { Condition: { } condition }
                || (cause is ActivityCause did && holds(condition, did.Activity))));

    /// <summary>Collects every fault of triggers and graph under its place, e.g. <c>steps[2].wait.duration</c>.</summary>
    /// <param name="violations">Where faults are named.</param>
    /// <param name="conditionFault">Fault of a branch's condition, or null when it is right.</param>
    /// <param name="activityFault">Fault of a condition over an activity, or null when it is right.</param>
    public void Check(Violations violations, Func<string, string?> conditionFault, Func<string, string?> activityFault) =>
        new PathCheck(this, violations, conditionFault, activityFault).Run();
}
