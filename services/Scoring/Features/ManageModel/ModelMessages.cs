using Google.Protobuf.WellKnownTypes;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Storage;
using Lifecycle.Scoring.V1;

namespace Lifecycle.Scoring.Features.ManageModel;

/// <summary>Models as messages and back.</summary>
internal static class ModelMessages
{
    /// <summary>The year 10,000: gRPC carries any number.</summary>
    private const long MaxSeconds = 253_402_300_800;

    public static V1.ScoringModel ToProto(StoredModel stored)
    {
        var definition = stored.Model.Definition;
        var model = new V1.ScoringModel
        {
            Version = stored.Model.Version,
            CategoryCaps = new(),
            CategoryHalfLives = new()
            {
                Fit = definition.CategoryHalfLives.Fit ?? "",
                Behavior = definition.CategoryHalfLives.Behavior ?? "",
                Bant = definition.CategoryHalfLives.Bant ?? "",
            },
            Thresholds = new() { Mql = definition.Thresholds.Mql, Hot = definition.Thresholds.Hot, Demote = definition.Thresholds.Demote },
            CreateTime = stored.CreateTime is { } time ? Timestamp.FromDateTimeOffset(time) : null,
            Actor = stored.Actor,
            ScoreName = stored.ScoreName,
            DisplayName = definition.DisplayName ?? "",
        };
        if (definition.Requirements is { } requirements)
        {
            model.Requirements = new() { MinGrade = requirements.MinGrade ?? "" };
            Set(requirements.MinFit, value => model.Requirements.MinFit = value);
        }

        if (definition.Agreement is { } agreement)
        {
            model.Agreement = new()
            {
                Definition = agreement.Definition,
                AgreedBy = { agreement.AgreedBy },
                AgreeTime = Timestamp.FromDateTimeOffset(agreement.AgreeTime),
            };
        }

        Set(definition.CategoryCaps.Fit, value => model.CategoryCaps.Fit = value);
        Set(definition.CategoryCaps.Behavior, value => model.CategoryCaps.Behavior = value);
        Set(definition.CategoryCaps.Bant, value => model.CategoryCaps.Bant = value);
        model.Bands.AddRange(definition.Bands.Select(band => new ScoreBand { Name = band.Name, Min = band.Min }));
        model.Rules.AddRange(definition.Rules.Select(ToProto));
        return model;
    }

    public static ModelDefinition ToDefinition(V1.ScoringModel model) => new(
        model.Rules.Select(ToDefinition).ToArray(),
        new(
            model.CategoryCaps is { HasFit: true } fit ? fit.Fit : null,
            model.CategoryCaps is { HasBehavior: true } behavior ? behavior.Behavior : null,
            model.CategoryCaps is { HasBant: true } bant ? bant.Bant : null),
        new(Text(model.CategoryHalfLives?.Fit), Text(model.CategoryHalfLives?.Behavior), Text(model.CategoryHalfLives?.Bant)),
        new(model.Thresholds?.Mql ?? 0, model.Thresholds?.Hot ?? 0, model.Thresholds?.Demote ?? 0),
        model.Bands.Select(band => new BandDefinition(band.Name, band.Min)).ToArray(),
        Text(model.DisplayName),
        model.Requirements is { } requirements
            ? new(requirements.HasMinFit ? requirements.MinFit : null, Text(requirements.MinGrade))
            : null,
        model.Agreement is { } agreement
            ? new(
                agreement.Definition, agreement.AgreedBy.ToArray(),
                agreement.AgreeTime is { Seconds: > 0 and < MaxSeconds, Nanos: >= 0 and < 1_000_000_000 } agreed
                    ? agreed.ToDateTimeOffset()
                    : DateTimeOffset.UnixEpoch)
            : null);

    private static V1.ScoringRule ToProto(RuleDefinition rule)
    {
        var message = new V1.ScoringRule
        {
            Id = rule.Id,
            Name = rule.Name,
            Category = (V1.ScoringModel.Types.Category)(rule.Category ?? 0),
            Condition = rule.Condition,
            Points = rule.Points,
            Window = rule.Window ?? "",
            HalfLife = rule.HalfLife ?? "",
            OncePer = rule.OncePer ?? "",
            ExpireAfter = rule.ExpireAfter ?? "",
        };
        Set(rule.Cap, value => message.Cap = value);
        Set(rule.Floor, value => message.Floor = value);
        Set(rule.MaxTimes, value => message.MaxTimes = (int)value);
        return message;
    }

    private static RuleDefinition ToDefinition(V1.ScoringRule rule) => new(
        rule.Id,
        rule.Name,
        System.Enum.IsDefined((Category)rule.Category) ? (Category)rule.Category : null,
        rule.Condition,
        rule.Points,
        rule.HasCap ? rule.Cap : null,
        Text(rule.Window),
        Text(rule.HalfLife),
        Text(rule.OncePer),
        rule.HasMaxTimes ? rule.MaxTimes : null,
        rule.HasFloor ? rule.Floor : null,
        Text(rule.ExpireAfter));

    private static void Set(double? value, Action<double> set)
    {
        if (value is { } number)
        {
            set(number);
        }
    }

    private static string? Text(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
