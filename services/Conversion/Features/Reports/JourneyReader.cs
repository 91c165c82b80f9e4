using Lifecycle.Conversion.Domain.Attribution;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>Frozen journeys as the paths that models credit.</summary>
/// <param name="sources">What the touches of the journeys are; those of the conversions asked for are loaded.</param>
/// <param name="lookbackDays">Touches that many days or longer before the conversion are left out; null: none is.</param>
public sealed class JourneyReader(TouchSources sources, int? lookbackDays)
{
    /// <summary>At least one touch: a conversion without any is credited to the group of empty texts, one whose journey is not frozen (or
    /// has no touch) to the first touch of its lead.</summary>
    public PathTouch[] Touches(ConversionRow row)
    {
        var since = lookbackDays is { } days ? row.CloseTime.AddDays(-days) : DateTimeOffset.MinValue;
        if (row is not { PathKeys: { Length: > 0 } keys, PathTimes: { } times })
        {
            var first = FirstTouch(row);
            var group = row.OriginTime > since ? first?.Group : null;
            return [new PathTouch(group ?? sources.NoGroup, first?.Channel == "Direct", row.OriginTime)];
        }

        var lead = row.HasLead ? LastBefore(times, row.OriginTime) : -1;
        var opportunity = row.OpportunityId is null ? -1 : LastBefore(times, row.CreateTime);
        var touches = new PathTouch[keys.Length];
        var kept = 0;
        for (var index = 0; index < keys.Length; index++)
        {
            var (touch, time) = (sources[keys[index]], Time(times[index]));
            if (time > since)
            {
                touches[kept++] = new PathTouch(
                    touch.Group,
                    touch.Channel == "Direct",
                    time,
                    (index == lead ? Milestones.LeadCreated : 0) | (index == opportunity ? Milestones.OpportunityCreated : 0)
                        | (index == keys.Length - 1 ? Milestones.Closed : 0));
            }
        }

        return kept == keys.Length ? touches : kept > 0 ? touches[..kept] : [new PathTouch(sources.NoGroup, false, row.CloseTime)];
    }

    /// <summary>Touches by their keys alone, for models that look at nothing else; at least one.</summary>
    public PathTouch[] Touches(long[] keys) => keys.Length == 0
        ? [new PathTouch(sources.NoGroup, false)]
        : Array.ConvertAll(keys, key => new PathTouch(sources[key].Group, sources[key].Channel == "Direct"));

    /// <summary>The first touch of the conversion's lead; null without a lead.</summary>
    public TouchSource? FirstTouch(ConversionRow row) => row.SourceKey is { } key ? sources[key] : null;

    /// <summary>The touch that brought something about: the last one before it, or the first where all came after.</summary>
    private static int LastBefore(long[] times, DateTimeOffset time)
    {
        for (var index = times.Length - 1; index > 0; index--)
        {
            if (Time(times[index]) <= time)
            {
                return index;
            }
        }

        return 0;
    }

    private static DateTimeOffset Time(long microseconds) => DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);
}
