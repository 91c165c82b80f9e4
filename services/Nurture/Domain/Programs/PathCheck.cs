using Lifecycle.Kernel;

namespace Lifecycle.Nurture.Domain.Programs;

/// <summary>Finds every fault of a graph: of each step by itself, of its edges, and of the whole.</summary>
internal sealed class PathCheck(
    ProgramPath path, Violations violations, Func<string, string?> conditionFault, Func<string, string?> activityFault)
{
    private const string EmailTimeout = "wait.untilEmail.timeoutStepId";
    private const int MaxText = 200;
    private const int MaxOffsetDays = 3660;

    public void Run()
    {
        violations.Require(
            path.EntryTriggers.Count is > 0 and <= ProgramPath.MaxTriggers,
            "entryTriggers", $"entryTriggers needs 1 to {ProgramPath.MaxTriggers} triggers.");
        for (var index = 0; index < path.EntryTriggers.Count; index++)
        {
            if (path.EntryTriggers[index] is EventTrigger { Condition: { } condition } && activityFault(condition) is { } fault)
            {
                violations.Add($"entryTriggers[{index}].event.condition", fault);
            }
        }

        violations.Require(
            path.Reentry == Reentry.PerKey == (path.ReentryKey is not null),
            "reentryKey", "reentryKey names a property of the entering event where reentry is PER_KEY, and stands only there.");
        if (!violations.Require(
            path.Steps.Count is > 0 and <= ProgramPath.MaxSteps, "steps", $"steps needs 1 to {ProgramPath.MaxSteps} steps."))
        {
            return;
        }

        for (var index = 0; index < path.Steps.Count; index++)
        {
            CheckName(index);
            CheckAction(path.Steps[index], $"steps[{index}]");
            foreach (var (field, target) in NamedEdges(path.Steps[index]))
            {
                violations.Require(
                    path.IndexOf(target) >= 0, $"steps[{index}].{field}", $"steps[{index}].{field} names no step: {target} is missing.");
            }
        }

        CheckReach();
        CheckLoops();
    }

    private void CheckName(int index)
    {
        var (id, field) = (path.Steps[index].Id, $"steps[{index}].id");
        violations.Require(
            id.Length is > 0 and <= 64 && id.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_'),
            field, $"{field} has 1 to 64 letters, digits, - or _.");
        violations.Require(path.IndexOf(id) == index, field, $"{field} {id} is the name of an earlier step too.");
    }

    private void CheckAction(Step step, string field)
    {
        switch (step)
        {
            case WaitStep wait:
                CheckDuration(wait.Duration, $"{field}.wait.duration");
                break;
            case WaitEventStep wait:
                violations.RequireText(wait.EventName, $"{field}.wait.untilEvent.name", MaxText);
                CheckDuration(wait.Timeout, $"{field}.wait.untilEvent.timeout");
                if (wait.Condition is { } filter && activityFault(filter) is { } wrong)
                {
                    violations.Add($"{field}.wait.untilEvent.condition", wrong);
                }

                violations.Require(
                    wait.KeyProperty is null || path.Reentry == Reentry.PerKey,
                    $"{field}.wait.untilEvent.keyProperty",
                    $"{field}.wait.untilEvent.keyProperty needs a program whose reentry is PER_KEY: other enrollments have no key.");
                break;
            case WaitEmailStep wait:
                CheckDuration(wait.Timeout, $"{field}.wait.untilEmail.timeout");
                violations.Require(
                    path.Steps.Any(sent => sent is SendEmailStep && wait.IsOf(sent.Id)), $"{field}.wait.untilEmail.stepId",
                    $"{field}.wait.untilEmail.stepId: {(wait.MailStepId is { } of ? $"no step {of}" : "no step")} sends a mail.");
                break;
            case WaitDateStep wait:
                violations.RequireText(wait.Trait, $"{field}.wait.untilDate.trait", MaxText);
                violations.Require(
                    Math.Abs(wait.OffsetDays) <= MaxOffsetDays, $"{field}.wait.untilDate.offsetDays",
                    $"{field}.wait.untilDate.offsetDays must be -{MaxOffsetDays} to {MaxOffsetDays}.");
                break;
            case BranchStep branch when conditionFault(branch.Condition) is { } fault:
                violations.Add($"{field}.branch.condition", fault);
                break;
            case SplitStep split:
                CheckSplit(split, $"{field}.split");
                break;
            case UpdateTraitStep update:
                violations.RequireText(update.Trait, $"{field}.updateTrait.trait", MaxText);
                violations.Require(
                    (update.Value?.Length ?? 0) <= 1000, $"{field}.updateTrait.value",
                    $"{field}.updateTrait.value has at most 1000 characters.");
                break;
            case HandToSalesStep hand:
                violations.Require(
                    hand.Note.Length <= 1000, $"{field}.handToSales.note", $"{field}.handToSales.note has at most 1000 characters.");
                break;
        }

        violations.Require(
            !step.IsEnd || step.Next is null, $"{field}.nextStepId", $"{field}.nextStepId: {step.Action} is an end, nothing follows it.");
        violations.Require(
            step is not SplitStep || step.Next is null, $"{field}.nextStepId", $"{field}.nextStepId: a split names its ways itself.");
    }

    private void CheckDuration(TimeSpan duration, string field) => violations.Require(
        duration > TimeSpan.Zero && duration <= ProgramPath.MaxWait,
        field, $"{field} must be more than 0s and at most {ProgramPath.MaxWait.TotalSeconds:0}s.");

    private void CheckSplit(SplitStep split, string field)
    {
        violations.Require(split.Seed.Length is > 0 and <= MaxText, $"{field}.seed", $"{field}.seed has 1 to {MaxText} characters.");
        violations.Require(
            split.Ways.Count is >= 2 and <= 10 && split.Ways.All(way => way.Percent is > 0 and < 100)
                && split.Ways.Sum(way => way.Percent) == 100,
            $"{field}.ways", $"{field}.ways needs 2 to 10 ways of 1 to 99 percent that sum to 100.");
    }

    /// <summary>Every step can be come to from the first.</summary>
    private void CheckReach()
    {
        var (reached, waiting) = (new HashSet<int> { 0 }, new Stack<int>([0]));
        while (waiting.TryPop(out var index))
        {
            foreach (var next in Following(index).Where(reached.Add))
            {
                waiting.Push(next);
            }
        }

        for (var index = 0; index < path.Steps.Count; index++)
        {
            violations.Require(
                reached.Contains(index), $"steps[{index}]",
                $"steps[{index}] ({path.Steps[index].Id}) is never reached: no way leads to it.");
        }
    }

    /// <summary>Every loop has a step that takes time.</summary>
    private void CheckLoops()
    {
        // Step by step those go that no untimed step leads on from; what is left are the loops, and what leads into them.
        var left = Enumerable.Range(0, path.Steps.Count).Where(index => !path.Steps[index].TakesTime).ToHashSet();
        while (left.FirstOrDefault(index => !FollowingAtOnce(index).Any(left.Contains), -1) is >= 0 and var end)
        {
            left.Remove(end);
        }

        // And those that only lead into a loop.
        while (left.FirstOrDefault(index => !left.Any(from => FollowingAtOnce(from).Contains(index)), -1) is >= 0 and var start)
        {
            left.Remove(start);
        }

        if (left.Count > 0)
        {
            var names = left.Order().Select(index => path.Steps[index].Id);
            violations.Add($"steps[{left.Min()}]", $"The loop of {string.Join(", ", names)} never ends: it needs a wait.");
        }
    }

    /// <summary>Places of the steps that may follow; those of missing names apart.</summary>
    private IEnumerable<int> Following(int index) => Following(path, index);

    /// <summary>Without the way of a time-out, where a mail may have been opened before.</summary>
    private IEnumerable<int> FollowingAtOnce(int index) => Following(path, index, EmailTimeout);

    /// <summary>Places of the steps that may follow one; those of missing names apart.</summary>
    internal static IEnumerable<int> Following(ProgramPath path, int index, string? without = null)
    {
        var step = path.Steps[index];
        var named = NamedEdges(step).Where(edge => edge.Field != without).Select(edge => path.IndexOf(edge.Target))
            .Where(target => target >= 0);
        return FallsThrough(step) && index + 1 < path.Steps.Count ? named.Append(index + 1) : named;
    }

    /// <summary>Whether the next step of the list may follow.</summary>
    private static bool FallsThrough(Step step) => step switch
    {
        { IsEnd: true } => false,
        SplitStep split => split.Ways.Any(way => way.StepId is null),
        _ => step.Next is null,
    };

    private static IEnumerable<(string Field, string Target)> NamedEdges(Step step)
    {
        IEnumerable<(string Field, string? Target)> edges = step switch
        {
            BranchStep branch => [("branch.elseStepId", branch.ElseStepId)],
            WaitEventStep wait => [("wait.untilEvent.timeoutStepId", wait.TimeoutStepId)],
            WaitEmailStep wait => [(EmailTimeout, wait.TimeoutStepId)],
            WaitDateStep wait => [("wait.untilDate.elseStepId", wait.ElseStepId)],
            SplitStep split => [.. split.Ways.Select((way, index) => ($"split.ways[{index}].stepId", way.StepId))],
            _ => [],
        };
        return edges.Append((Field: "nextStepId", Target: step.Next)).Where(edge => edge.Target is not null)
            .Select(edge => (edge.Field, edge.Target!));
    }
}
