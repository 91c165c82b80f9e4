using System.Globalization;

namespace Lifecycle.Scoring.Storage;

/// <summary>
/// A snapshot of Postgres up to which changes are known, as <c>pg_current_snapshot()</c> writes it: <c>xmin:xmax:running</c>. What changed
/// since is what transactions from xmax on did, and those that were running.
/// </summary>
/// <param name="Text">As Postgres writes it.</param>
/// <param name="Next">First transaction that had not begun.</param>
/// <param name="Running">Those that had not ended.</param>
public sealed record ChangeMark(string Text, long Next, IReadOnlyList<long> Running)
{
    /// <summary>Null for a text that is none.</summary>
    public static ChangeMark? Parse(string text)
    {
        var parts = text.Split(':');
        if (parts.Length != 3 || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var next))
        {
            return null;
        }

        var running = new List<long>();
        foreach (var part in parts[2].Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            {
                return null;
            }

            running.Add(id);
        }

        return new(text, next, running);
    }
}
