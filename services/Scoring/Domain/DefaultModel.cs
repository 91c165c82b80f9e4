using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lifecycle.Scoring.Domain;

/// <summary>
/// The model used until a workspace puts its own: version 0, embedded as <c>DefaultModel.json</c>.
/// <list type="bullet">
/// <item>Fit (cap 50): senior title 20, senior rank without such a title 10, manager 10, target department 5; company of 50–999 10, larger
/// 15; revenue from 10 million 5; target industry 5; private mail −5; student −15.</item>
/// <item>Behaviour (cap 60, half-life 30 days): page 1 (cap 10), pricing 5 (10), visit 2 (10), content 10 (20), event 10 (20), taking part
/// 15 (30), demo form 25, contact form 15, call 15, chat 5 (10), trial 20, e-mail click 5 (15), e-mail open 1 (3), careers page −20.</item>
/// <item>BANT (cap 20): budget, authority, need, timing 5 each; a demo request shows need: 5.</item>
/// <item>Qualified from 60, hot from 85, no longer qualified below 40. Bands COLD, WARM from 30, QUALIFIED from 60, HOT from 85.</item>
/// </list>
/// </summary>
public static class DefaultModel
{
    /// <summary>How models are stored: camelCase, categories as <c>FIT</c>, absent members null.</summary>
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseUpper) },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public static ScoringModel Instance { get; } = Load();

    private static ScoringModel Load()
    {
        using var stream = typeof(DefaultModel).Assembly.GetManifestResourceStream("Lifecycle.Scoring.Domain.DefaultModel.json")!;
        return ModelCompiler.Compile(JsonSerializer.Deserialize<ModelDefinition>(stream, Json)!, version: 0).Value;
    }
}
