using Lifecycle.Conversion.Domain.Attribution;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Rpc;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>A checked question for a report.</summary>
/// <param name="Granules">Points; one for the whole period where no granularity was asked for.</param>
/// <param name="IsCut">Whether a granularity was asked for.</param>
/// <param name="Dimensions">What rows are grouped by.</param>
public sealed record ReportQuery(
    Caller Caller, IReadOnlyList<Granule> Granules, bool IsCut, IReadOnlyList<string> Dimensions, AttributionKind Model,
    double HalfLifeDays)
{
    /// <summary>Most points of one report.</summary>
    public const int MaxGranules = 120;

    /// <summary>Dimensions that rows can be grouped by.</summary>
    public static IReadOnlyList<string> AllDimensions { get; } = ["channel", "source", "medium", "campaign", "keyword"];

    /// <summary>First instant of each point.</summary>
    public DateTimeOffset[] From => Granules.Select(granule => granule.From).ToArray();

    /// <summary>Instant after each point.</summary>
    public DateTimeOffset[] To => Granules.Select(granule => granule.To).ToArray();

    /// <summary>First day of each point.</summary>
    public DateOnly[] FirstDay => Granules.Select(granule => granule.Start).ToArray();

    /// <summary>Day after each point.</summary>
    public DateOnly[] LastDay => Granules.Select(granule => granule.End).ToArray();

    /// <summary>Checks the request; INVALID_ARGUMENT names every fault.</summary>
    /// <param name="defaultDimensions">What to group by where nothing is asked for.</param>
    public static Result<ReportQuery> Parse(GetReportRequest request, Caller caller, params string[] defaultDimensions)
    {
        var violations = new Violations();
        var isCut = request.Granularity != Common.V1.Granularity.Unspecified;
        var period = ReportPeriod.Create(
            request.From, request.To, isCut ? request.Granularity.ToKernel() : Granularity.Year, caller.TimeZone);
        foreach (var violation in period.Error?.Violations ?? [])
        {
            violations.Add(violation.Field, violation.Message);
        }

        if (period.Succeeded && isCut)
        {
            violations.Require(
                period.Value.Granules.Count <= MaxGranules,
                "granularity",
                $"The period has {period.Value.Granules.Count} points; a report has at most {MaxGranules}. Ask for a shorter period or a coarser granularity.");
        }

        var dimensions = request.GroupBy
            .SelectMany(text => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).Distinct().ToArray();
        foreach (var unknown in dimensions.Except(AllDimensions))
        {
            violations.Add("groupBy", $"Reports cannot group by {unknown}; they can by {string.Join(", ", AllDimensions)}.");
        }

        violations.Require(Enum.IsDefined(request.Model), "model", "model must name an attribution model such as LINEAR.");
        EvaluateAttribution.EvaluateAttribution.CheckHalfLife(violations, request.HasHalfLifeDays, request.HalfLifeDays);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        var granules = period.Value.Granules;
        return new ReportQuery(
            caller,
            isCut ? granules : [new Granule(granules[0].Start, granules[^1].End, granules[0].From, granules[^1].To)],
            isCut,
            dimensions.Length > 0 ? dimensions : defaultDimensions,
            request.Model == AttributionModel.Unspecified ? AttributionKind.FirstTouch : (AttributionKind)(int)request.Model,
            request.HasHalfLifeDays ? request.HalfLifeDays : AttributionModels.DefaultHalfLifeDays);
    }

    /// <summary>First day of a point as the reports tell it; empty where the period is not cut.</summary>
    public string Start(int granule) => IsCut ? Granules[granule].Start.ToString("yyyy-MM-dd", null) : "";
}

/// <summary>Values of several dimensions as one text, for SQL and dictionaries.</summary>
public static class GroupKeys
{
    private const char Separator = '\u001f';

    /// <summary>SQL text of a group's key: the dimensions' columns of <paramref name="alias"/>, unknown as empty text.</summary>
    /// <param name="dimensions">Checked names; they are the names of the columns.</param>
    public static string Sql(string alias, IReadOnlyList<string> dimensions) => dimensions.Count == 0
        ? "''::text"
        : string.Join(" || chr(31) || ", dimensions.Select(dimension => $"coalesce({alias}.{dimension}, '')"));

    public static string Of(IEnumerable<string?> values) => string.Join(Separator, values.Select(value => value ?? ""));

    /// <summary>The values again, by dimension.</summary>
    public static Dictionary<string, string> Split(string key, IReadOnlyList<string> dimensions) =>
        dimensions.Zip(key.Split(Separator)).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal);
}
