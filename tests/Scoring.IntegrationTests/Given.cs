using System.Text.Json;
using Lifecycle.Contracts;

namespace Scoring.IntegrationTests;

/// <summary>Events as Capture, Nurture and Conversion publish them.</summary>
internal static class Given
{
    public static LeadCaptured Captured(
        Guid workspace, Guid lead, DateTimeOffset time, string? title = "VP Marketing", int? employees = 250, long version = 1,
        string channel = "Paid Search") =>
        new(
            Guid.CreateVersion7(), workspace, time, version, lead, "ada@example.com", null, "FORM", "demo", time,
            Touch(channel, time), Touch("Organic Social", time), Traits(title), new("Example", null, null, employees, null, null));

    public static LeadUpdated Updated(
        Guid workspace, Guid lead, DateTimeOffset createTime, DateTimeOffset time, long version, string? title) => new(
        Guid.CreateVersion7(), workspace, time, version, lead, "ada@example.com", null, "FORM", createTime,
        Touch("Paid Search", createTime), Touch("Direct", time), Traits(title), new("Example", null, null, 250, null, null));

    public static ActivitiesRecorded Recorded(Guid workspace, params ActivityInfo[] activities) =>
        new(Guid.CreateVersion7(), workspace, activities[^1].Time, 1, activities);

    public static ActivityInfo Page(Guid lead, DateTimeOffset time, string path, Guid? session = null) =>
        new(Guid.CreateVersion7(), lead, "PAGE", path, time, session, $"https://acme.example{path}", new Dictionary<string, JsonElement>());

    public static ActivityInfo Download(Guid lead, DateTimeOffset time, Guid? session = null) => new(
        Guid.CreateVersion7(), lead, "DOWNLOAD", "Content Downloaded", time, session, "https://acme.example/papers",
        new Dictionary<string, JsonElement> { ["title"] = JsonSerializer.SerializeToElement("White paper") });

    public static ActivityInfo Form(Guid lead, DateTimeOffset time, string type = "demo", Guid? session = null) => new(
        Guid.CreateVersion7(), lead, "FORM", "Form Submitted", time, session, "https://acme.example/demo",
        new Dictionary<string, JsonElement>
        {
            ["formId"] = JsonSerializer.SerializeToElement(type),
            ["formType"] = JsonSerializer.SerializeToElement(type),
        });

    public static EmailEngaged Engaged(Guid workspace, Guid lead, DateTimeOffset time, string kind, string classification = "HUMAN") => new(
        Guid.CreateVersion7(), workspace, time, 1, Guid.CreateVersion7(), Guid.CreateVersion7(), lead, null, kind, classification,
        "https://acme.example/start", true);

    public static LeadStageChanged Moved(
        Guid workspace, Guid lead, DateTimeOffset time, long version, string from, string to, string reason) =>
        new(Guid.CreateVersion7(), workspace, time, version, lead, from, to, reason, "key:test", null, null);

    public static LeadsMerged Merged(Guid workspace, Guid source, Guid target, DateTimeOffset time) =>
        new(Guid.CreateVersion7(), workspace, time, 9, source, target);

    public static LeadErased Erased(Guid workspace, Guid lead, DateTimeOffset time) =>
        new(Guid.CreateVersion7(), workspace, time, 10, lead);

    /// <summary>The walk up to the white paper: three pages, back two days later, a download; and the demo request.</summary>
    public static (ActivitiesRecorded Activities, DateTimeOffset Form) Walk(Guid workspace, Guid lead, DateTimeOffset now)
    {
        var (first, second) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var (start, back) = (now.AddDays(-2).AddMinutes(-10), now.AddMinutes(-10));
        return (Recorded(
            workspace,
            Page(lead, start, "/", first), Page(lead, start.AddMinutes(1), "/product", first),
            Page(lead, start.AddMinutes(2), "/blog", first), Page(lead, back, "/", second), Download(lead, back.AddMinutes(3), second),
            Form(lead, back.AddMinutes(5), "demo", second)), back.AddMinutes(5));
    }

    private static TouchInfo Touch(string channel, DateTimeOffset time) =>
        new(channel, "google", "cpc", "spring", null, null, null, time, null);

    private static Dictionary<string, string> Traits(string? title) => title is null ? [] : new() { ["title"] = title };
}
