using System.Text.Json;
using Lifecycle.Conversion.Domain.Attribution;
using Lifecycle.Conversion.Storage;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>Frozen journeys as the paths that models credit.</summary>
/// <param name="dimensions">What touches are grouped by.</param>
/// <param name="lookbackDays">Touches that many days or longer before the conversion are left out; null: none is.</param>
public sealed class JourneyReader(IReadOnlyList<string> dimensions, int? lookbackDays)
{
    /// <summary>At least one touch: a conversion without any is credited to the group of empty texts, one whose journey is not frozen (or has
    /// no touch) to the first touch of its lead.</summary>
    public PathTouch[] Touches(ConversionRow row)
    {
        JourneyTouch[] journey = row.Touches is null ? [] : JsonSerializer.Deserialize<JourneyTouch[]>(row.Touches, JsonSerializerOptions.Web)!;
        var since = lookbackDays is { } days ? row.CloseTime.AddDays(-days) : DateTimeOffset.MinValue;
        if (journey.Length == 0)
        {
            var isInside = row.OriginTime > since;
            return [new PathTouch(GroupKeys.Of(dimensions.Select(dimension => isInside ? row.Value(dimension) : "")), row.Channel == "Direct", row.OriginTime)];
        }

        var lead = LastBefore(journey, row.HasLead ? row.OriginTime : null);
        var opportunity = LastBefore(journey, row.OpportunityId is null ? null : row.CreateTime);
        var touches = new List<PathTouch>(journey.Length);
        for (var index = 0; index < journey.Length; index++)
        {
            var touch = journey[index];
            if (touch.Time > since)
            {
                touches.Add(new PathTouch(
                    GroupKeys.Of(dimensions.Select(dimension => Value(touch, dimension))),
                    touch.Channel == "Direct",
                    touch.Time,
                    (index == lead ? Milestones.LeadCreated : 0) | (index == opportunity ? Milestones.OpportunityCreated : 0)
                        | (index == journey.Length - 1 ? Milestones.Closed : 0)));
            }
        }

        return touches.Count > 0 ? [.. touches] : [new PathTouch(GroupKeys.Of(dimensions.Select(_ => "")), false, row.CloseTime)];
    }

    /// <summary>The touch that brought something about: the last one before it, or the first where all came after.</summary>
    private static int LastBefore(JourneyTouch[] journey, DateTimeOffset? time) =>
        time is { } moment ? Math.Max(0, Array.FindLastIndex(journey, touch => touch.Time <= moment)) : -1;

    private static string? Value(JourneyTouch touch, string dimension) => dimension switch
    {
        "channel" => touch.Channel,
        "source" => touch.Source,
        "medium" => touch.Medium,
        "campaign" => touch.Campaign,
        "keyword" => touch.Keyword,
        _ => touch.LandingPage,
    };
}
