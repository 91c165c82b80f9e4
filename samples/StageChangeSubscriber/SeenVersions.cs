using System.Globalization;

namespace StageChangeSubscriber;

/// <summary>
/// The last version printed of each lead. The file, where there is one, gets a line <c>leadId version</c> for each change and is rewritten
/// when most of its lines are outdated.
/// </summary>
internal sealed class SeenVersions
{
    private const int CompactAfterLines = 10_000;

    private readonly Dictionary<Guid, long> versions = [];
    private readonly string? file;
    private int lines;

    public SeenVersions(string? file)
    {
        this.file = file;
        if (file is null || !File.Exists(file))
        {
            return;
        }

        foreach (var line in File.ReadLines(file))
        {
            lines++;
            // The last line is cut short where the process died while writing it.
            if (line.Split(' ') is [var id, var number]
                && Guid.TryParse(id, out var lead) && long.TryParse(
                    number, NumberStyles.None, CultureInfo.InvariantCulture, out var version))
            {
                versions[lead] = Math.Max(version, versions.GetValueOrDefault(lead));
            }
        }
    }

    public bool Has(Guid lead, long version) => versions.TryGetValue(lead, out var last) && version <= last;

    public async Task Keep(Guid lead, long version, CancellationToken ct)
    {
        versions[lead] = version;
        if (file is null)
        {
            return;
        }

        if (++lines > CompactAfterLines && lines > 2 * versions.Count)
        {
            var fresh = file + ".new";
            await File.WriteAllLinesAsync(fresh, versions.Select(pair => Line(pair.Key, pair.Value)), ct);
            File.Move(fresh, file, overwrite: true);
            lines = versions.Count;
        }
        else
        {
            // A line break first: what a crash cut short then spoils no other line.
            await File.AppendAllTextAsync(file, Environment.NewLine + Line(lead, version), ct);
        }
    }

    private static string Line(Guid lead, long version) => string.Create(CultureInfo.InvariantCulture, $"{lead} {version}");
}
