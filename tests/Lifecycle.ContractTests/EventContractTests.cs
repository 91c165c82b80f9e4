using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lifecycle.ContractTests;

/// <summary>
/// Subscribers read the JSON of events, so it may only grow. Each event has a golden file with its first form; renew one, for a new event,
/// by running with <c>ACCEPT_GOLDEN=1</c>.
/// </summary>
public sealed class EventContractTests
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };
    private static readonly string Golden = Path.Combine(AppContext.BaseDirectory, "Golden");

    public static TheoryData<string> Events => [.. EventSamples.EventTypes.Select(type => type.Name)];

    [Theory]
    [MemberData(nameof(Events))]
    public void Event_Serialized_HasEveryMemberOfItsGoldenForm(string name)
    {
        var type = EventSamples.EventTypes.Single(one => one.Name == name);
        var json = JsonSerializer.Serialize(EventSamples.Create(type), type, Json);
        var file = Path.Combine(Golden, $"{name}.json");
        if (Environment.GetEnvironmentVariable("ACCEPT_GOLDEN") == "1")
        {
            File.WriteAllText(Path.Combine(SourceFolder(), $"{name}.json"), json + "\n");
            return;
        }

        Assert.True(File.Exists(file), $"{name} has no golden file.");
        AssertContains(JsonNode.Parse(File.ReadAllText(file))!, JsonNode.Parse(json)!, name);
    }

    [Theory]
    [MemberData(nameof(Events))]
    public void Event_ReadFromItsGoldenForm_IsTheSameEvent(string name)
    {
        var type = EventSamples.EventTypes.Single(one => one.Name == name);

        var read = JsonSerializer.Deserialize(File.ReadAllText(Path.Combine(Golden, $"{name}.json")), type, Json);

        Assert.Equal(JsonSerializer.Serialize(EventSamples.Create(type), type, Json), JsonSerializer.Serialize(read, type, Json));
    }

    [Fact]
    public void Golden_EveryFile_BelongsToAnEvent()
    {
        var files = Directory.GetFiles(Golden, "*.json").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal);

        Assert.Equal(EventSamples.EventTypes.Select(type => type.Name), files);
    }

    private static void AssertContains(JsonNode expected, JsonNode? actual, string path)
    {
        Assert.True(actual is not null && expected.GetValueKind() == actual.GetValueKind(), $"{path} is missing or of another kind.");
        switch (expected)
        {
            case JsonObject members:
                foreach (var (name, value) in members)
                {
                    AssertContains(value!, actual[name], $"{path}.{name}");
                }

                break;
            case JsonArray items:
                AssertContains(items[0]!, actual.AsArray()[0], $"{path}[0]");
                break;
            default:
                Assert.Equal(expected.ToJsonString(), actual.ToJsonString());
                break;
        }
    }

    private static string SourceFolder([System.Runtime.CompilerServices.CallerFilePath] string file = "") =>
        Path.Combine(Path.GetDirectoryName(file)!, "Golden");
}
