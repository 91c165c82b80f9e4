using Lifecycle.Conversion.Domain.Attribution;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Rpc;

namespace Lifecycle.Conversion.Features.EvaluateAttribution;

/// <summary>Credits any paths by any model. Pure: nothing is read or stored.</summary>
public static class EvaluateAttribution
{
    private const int MaxPaths = 10_000;
    private const int MaxTouches = 1_000;
    private const long MaxCount = 1_000_000_000;
    private const double MaxValue = 1e15;

    public static Result<EvaluateAttributionResponse> Handle(EvaluateAttributionRequest request)
    {
        var violations = new Violations();
        violations.Require(
            Enum.IsDefined(request.Model) && request.Model != AttributionModel.Unspecified, "model",
            "model must name an attribution model such as LINEAR.");
        CheckHalfLife(violations, request.HasHalfLifeDays, request.HalfLifeDays);
        violations.Require(
            request.Paths.Count is >= 1 and <= MaxPaths, "paths",
            $"paths has {request.Paths.Count} entries; 1 to {MaxPaths} are accepted.");
        for (var index = 0; index < Math.Min(request.Paths.Count, MaxPaths); index++)
        {
            Check(violations, request.Paths[index], $"paths[{index}]", request.Model);
        }

        if (request.Model == AttributionModel.Markov)
        {
            var channels = request.Paths.SelectMany(path => path.Touches).Select(touch => touch.Channel)
                .Distinct(StringComparer.Ordinal).Count();
            violations.Require(
                channels <= MarkovChain.MaxGroups, "paths",
                $"paths name {channels} channels; MARKOV takes at most {MarkovChain.MaxGroups}.");
        }

        if (violations.ToError() is { } error)
        {
            return error;
        }

        var credits = AttributionCredits.Evaluate(
            (AttributionKind)(int)request.Model, request.Paths.Select(ToPath).ToArray(),
            request.HasHalfLifeDays ? request.HalfLifeDays : AttributionModels.DefaultHalfLifeDays);
        var response = new EvaluateAttributionResponse();
        response.Credits.AddRange(credits.Select(credit =>
        {
            var message =
                new AttributionCredit { Channel = credit.Group, Conversions = Rounded(credit.Conversions), Value = Rounded(credit.Value) };
            if (credit.RemovalEffect is { } effect)
            {
                message.RemovalEffect = Math.Round(effect, 12);
            }

            return message;
        }));
        return response;
    }

    /// <summary>Names the fault of a half-life that is not between a minute and a hundred years.</summary>
    public static void CheckHalfLife(Violations violations, bool isGiven, double days) =>
        violations.Require(
            !isGiven || days is >= 1 / 1440.0 and <= 36_500, "halfLifeDays", "halfLifeDays must be a number of days greater than 0.");

    private static void Check(Violations violations, AttributionPath path, string field, AttributionModel model)
    {
        violations.Require(
            path.Touches.Count is >= 1 and <= MaxTouches, $"{field}.touches",
            $"{field}.touches has {path.Touches.Count} entries; 1 to {MaxTouches} are accepted.");
        violations.Require(
            path.Conversions is >= 0 and <= MaxCount, $"{field}.conversions", $"{field}.conversions must lie between 0 and {MaxCount}.");
        violations.Require(path.Nulls is >= 0 and <= MaxCount, $"{field}.nulls", $"{field}.nulls must lie between 0 and {MaxCount}.");
        violations.Require(Math.Abs(path.Value) <= MaxValue, $"{field}.value", $"{field}.value must be a number of at most 15 digits.");
        for (var index = 0; index < Math.Min(path.Touches.Count, MaxTouches); index++)
        {
            var touch = path.Touches[index];
            violations.RequireText(touch.Channel, $"{field}.touches[{index}].channel");
            violations.Require(
                model != AttributionModel.TimeDecay || touch.Time is not null, $"{field}.touches[{index}].time",
                "TIME_DECAY needs the time of every touch.");
            violations.Require(
                touch.Milestones.All(mark => Enum.IsDefined(mark) && mark != AttributionTouch.Types.Milestone.Unspecified),
                $"{field}.touches[{index}].milestones",
                "milestones must be LEAD_CREATED, OPPORTUNITY_CREATED or CLOSED.");
        }
    }

    private static TouchPath ToPath(AttributionPath path) => new(
        path.Touches.Select(touch => new PathTouch(touch.Channel, touch.Channel == "Direct", touch.Time.ToTime(), Marks(touch))).ToArray(),
        path.HasConversions ? path.Conversions : path.Nulls > 0 ? 0 : 1,
        path.Nulls,
        (decimal)path.Value);

    private static Milestones Marks(AttributionTouch touch) =>
        touch.Milestones.Aggregate(Milestones.None, (marks, mark) => marks | mark switch
        {
            AttributionTouch.Types.Milestone.LeadCreated => Milestones.LeadCreated,
            AttributionTouch.Types.Milestone.OpportunityCreated => Milestones.OpportunityCreated,
            _ => Milestones.Closed,
        });

    private static double Rounded(decimal value) => (double)Math.Round(value, 12);
}
