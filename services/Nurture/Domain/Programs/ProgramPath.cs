using Lifecycle.Kernel;

namespace Lifecycle.Nurture.Domain.Programs;

/// <summary>How leads enter, pass through and leave a program.</summary>
/// <param name="EntryTriggers">Any one makes a lead enter; 1 to <see cref="MaxTriggers"/>.</param>
/// <param name="Steps">The path in order; 1 to <see cref="MaxSteps"/>.</param>
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
    public const int MaxTriggers = 10;
    public const int MaxSteps = 100;

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

    /// <summary>
    /// Whether a lead at the stage is where the program wants it. In the funnel a later stage than the goal will do, since leads may jump.
    /// </summary>
    public bool IsGoalReached(Stage stage) =>
        GoalStage is { } goal && (stage == goal || (goal <= Stage.Advocate && stage <= Stage.Advocate && stage > goal));

    /// <summary>The trigger that lets the lead in for this cause, or null. A lead at an exit stage or at the goal does not enter.</summary>
    public EntryTrigger? Admits(EntryCause cause, Stage? stage, DateTimeOffset now) =>
        stage is { } current && (ExitOnStages.Contains(current) || IsGoalReached(current))
            ? null
            : cause is ManualCause ? new ManualTrigger() : EntryTriggers.FirstOrDefault(trigger => trigger.Matches(cause, now));

    /// <summary>Collects the faults of triggers and steps under their places, e.g. <c>steps[2].wait.duration</c>.</summary>
    /// <param name="violations">Where faults are named.</param>
    /// <param name="conditionFault">Fault of a condition's text, or null when it is right.</param>
    public void Check(Violations violations, Func<string, string?> conditionFault)
    {
        violations.Require(
            EntryTriggers.Count is > 0 and <= MaxTriggers, "entryTriggers", $"entryTriggers needs 1 to {MaxTriggers} triggers.");
        violations.Require(Steps.Count is > 0 and <= MaxSteps, "steps", $"steps needs 1 to {MaxSteps} steps.");
        for (var index = 0; index < Steps.Count; index++)
        {
            CheckStep(violations, index, conditionFault);
        }
    }

    private void CheckStep(Violations violations, int index, Func<string, string?> conditionFault)
    {
        var (step, field) = (Steps[index], $"steps[{index}]");
        violations.Require(
            step.Id.Length is > 0 and <= 64 && step.Id.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_'),
            $"{field}.id",
            $"{field}.id has 1 to 64 letters, digits, - or _.");
        violations.Require(IndexOf(step.Id) == index, $"{field}.id", $"{field}.id {step.Id} is the name of an earlier step too.");
        switch (step)
        {
            case WaitStep wait:
                violations.Require(
                    wait.Duration > TimeSpan.Zero && wait.Duration <= MaxWait,
                    $"{field}.wait.duration",
                    $"{field}.wait.duration must be more than 0s and at most {MaxWait.TotalSeconds:0}s.");
                break;
            case BranchStep branch:
                if (conditionFault(branch.Condition) is { } fault)
                {
                    violations.Add($"{field}.branch.condition", fault);
                }

                violations.Require(
                    branch.ElseStepId is null || IndexOf(branch.ElseStepId) > index,
                    $"{field}.branch.elseStepId",
                    $"{field}.branch.elseStepId must name a later step.");
                break;
        }
    }
}
