namespace Lifecycle.Nurture.Domain.Programs;

/// <summary>A step that a lead would come to.</summary>
/// <param name="Visit">The visit.</param>
/// <param name="Time">When the lead would come there; of a mail, when it would go.</param>
/// <param name="Acts">Whether the step would do what it does; a mail beyond a cap does not go.</param>
public readonly record struct DryStep(StepVisit Visit, DateTimeOffset Time, bool Acts);

/// <summary>Walks a path as an enrollment would, at once and without doing anything.</summary>
public static class DryRun
{
    /// <summary>Steps after which a walk is broken off.</summary>
    public const int MaxSteps = 200;

    /// <param name="path">The program's graph.</param>
    /// <param name="now">When the lead would enter.</param>
    /// <param name="lead">Who.</param>
    /// <returns>The steps in order, and the state at the end; Active where the walk was broken off.</returns>
    public static (IReadOnlyList<DryStep> Steps, EnrollmentState State) Walk(ProgramPath path, DateTimeOffset now, IProgramLead lead)
    {
        var steps = new List<DryStep>();
        var position = EnrollmentEngine.Begin(path, now, lead, out _);
        // A mail that is held back again and again ends no step: the rounds are bounded too.
        for (var round = 0; round < 2 * MaxSteps; round++)
        {
            var at = position.DueAt;
            var advance = EnrollmentEngine.Advance(path, position, at, lead);
            foreach (var visit in advance.Completed)
            {
                if (steps.Count == MaxSteps)
                {
                    return (steps, EnrollmentState.Active);
                }

                var came = visit.Visit != position.Visit || visit.Step is SendEmailStep ? at : position.EnterTime;
                steps.Add(new(visit, came, visit.Step is not SendEmailStep || advance.Effects.Contains(visit)));
            }

            if (advance.At is not { } next)
            {
                return (steps, advance.State);
            }

            position = next;
        }

        return (steps, EnrollmentState.Active);
    }
}
