using Lifecycle.Kernel;

namespace Lifecycle.Conversion.Domain.Opportunities;

/// <summary>One step of a pipeline.</summary>
/// <param name="Name">Unique in its pipeline, compared without case.</param>
/// <param name="Probability">Chance, 0 to 1, that a deal at this step is won.</param>
/// <param name="RequiredFields">What a deal must have to enter it, of <see cref="Deals.RequirableFields"/>.</param>
public sealed record PipelineStep(string Name, decimal Probability, IReadOnlyList<string>? RequiredFields = null);

/// <summary>What makes a pipeline sound.</summary>
public static class Pipelines
{
    public const int MaxSteps = 50;

    /// <summary>The pipeline that every workspace starts with.</summary>
    public static IReadOnlyList<PipelineStep> Default { get; } =
    [
        new("Prospecting", 0.10m), new("Engaging", 0.25m), new("Proposal", 0.50m), new("Negotiation", 0.75m),
    ];

    /// <summary>Names every fault of the steps under <paramref name="field"/>.</summary>
    public static void Check(IReadOnlyList<PipelineStep> steps, string field, Violations violations)
    {
        violations.Require(steps.Count is >= 1 and <= MaxSteps, field, $"{field} has {steps.Count} steps; 1 to {MaxSteps} are accepted.");
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (var index = 0; index < steps.Count; index++)
        {
            var path = $"{field}[{index}]";
            if (violations.RequireText(steps[index].Name, $"{path}.name", 100))
            {
                violations.Require(names.Add(steps[index].Name), $"{path}.name", $"{steps[index].Name} is named twice.");
                violations.Require(
                    !IsClosed(steps[index].Name), $"{path}.name", $"{steps[index].Name} is no step: a deal is won or lost by its state.");
            }

            violations.Require(
                steps[index].Probability is >= 0 and <= 1, $"{path}.probability", $"{path}.probability must lie between 0 and 1.");
            foreach (var unknown in steps[index].RequiredFields?.Except(Deals.RequirableFields) ?? [])
            {
                violations.Add(
                    $"{path}.requiredFields", $"{unknown} cannot be required; accepted are {string.Join(", ", Deals.RequirableFields)}.");
            }
        }
    }

    /// <summary>The step of that name, without regard to case.</summary>
    public static PipelineStep? Find(IEnumerable<PipelineStep> steps, string name) =>
        steps.FirstOrDefault(step => string.Equals(step.Name, name, StringComparison.OrdinalIgnoreCase));

    private static bool IsClosed(string name) =>
        name.Equals("won", StringComparison.OrdinalIgnoreCase) || name.Equals("lost", StringComparison.OrdinalIgnoreCase);
}
