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

/// <summary>What one advance did.</summary>
/// <param name="CompletedSteps">Steps passed, in order; the first is the one the enrollment stood at.</param>
/// <param name="Sends">Mails to queue.</param>
/// <param name="State">State after.</param>
/// <param name="StepId">Step that the enrollment now stands at; null once it has ended.</param>
/// <param name="DueAt">When that step ends; null once it has ended.</param>
/// <param name="ExitReason">Why it left, for <see cref="EnrollmentState.Exited"/>.</param>
public sealed record Advance(
    IReadOnlyList<string> CompletedSteps,
    IReadOnlyList<SendEmailStep> Sends,
    EnrollmentState State,
    string? StepId,
    DateTimeOffset? DueAt,
    string? ExitReason);

/// <summary>Moves an enrollment along its path. A step is passed at most once, since every move leads forward.</summary>
public static class EnrollmentEngine
{
    /// <summary>The step at which an enrollment stood is no longer in the path.</summary>
    public const string StepRemoved = "STEP_REMOVED";

    /// <summary>When the first step of a new enrollment ends: at once, or after its wait.</summary>
    public static DateTimeOffset FirstDue(ProgramPath path, DateTimeOffset now) => DueAt(path.Steps[0], now);

    /// <summary>
    /// Ends the step that is due and every following one that takes no time, up to the next wait or the end. The wait counts from
    /// <paramref name="now"/>, so that a late or paused advance never shortens it.
    /// </summary>
    /// <param name="path">The program's path.</param>
    /// <param name="stepId">Step that the enrollment stands at, due.</param>
    /// <param name="now">Present time.</param>
    /// <param name="holds">Whether a branch's condition holds for the lead.</param>
    public static Advance Advance(ProgramPath path, string stepId, DateTimeOffset now, Func<BranchStep, bool> holds)
    {
        var (completed, sends) = (new List<string>(), new List<SendEmailStep>());
        var index = path.IndexOf(stepId);
        if (index < 0)
        {
            return new(completed, sends, EnrollmentState.Exited, null, null, StepRemoved);
        }

        while (true)
        {
            var step = path.Steps[index];
            completed.Add(step.Id);
            if (step is SendEmailStep send)
            {
                sends.Add(send);
            }

            index = step switch
            {
                ExitStep => path.Steps.Count,
                BranchStep branch when !holds(branch) => branch.ElseStepId is null ? path.Steps.Count : path.IndexOf(branch.ElseStepId),
                _ => index + 1,
            };
            if (index >= path.Steps.Count)
            {
                return new(completed, sends, EnrollmentState.Completed, null, null, null);
            }

            if (path.Steps[index] is WaitStep wait)
            {
                return new(completed, sends, EnrollmentState.Active, wait.Id, DueAt(wait, now), null);
            }
        }
    }

    private static DateTimeOffset DueAt(Step step, DateTimeOffset now) => step is WaitStep wait ? now + wait.Duration : now;
}
