using System.Text;

namespace Lifecycle.Rpc;

/// <summary>Lines of a text, each read whole only up to a bound.</summary>
internal sealed class BoundedLines(TextReader reader, int maxLength)
{
    private readonly char[] buffer = new char[16 * 1024];
    private readonly StringBuilder line = new();
    private int start;
    private int end;

    /// <summary>The line without its end; cut where <see cref="TooLong"/>.</summary>
    public string Text => line.ToString();

    /// <summary>From 1.</summary>
    public int Number { get; private set; }

    public bool TooLong { get; private set; }

    /// <summary>False at the end of the text.</summary>
    public async Task<bool> Next(CancellationToken cancellationToken)
    {
        line.Clear();
        TooLong = false;
        for (var any = false; ; any = true)
        {
            if (start == end)
            {
                (start, end) = (0, await reader.ReadAsync(buffer.AsMemory(), cancellationToken));
                if (end == 0)
                {
                    Number += any ? 1 : 0;
                    return any;
                }
            }

            var newline = Array.IndexOf(buffer, '\n', start, end - start);
            var stop = newline < 0 ? end : newline;
            Append(buffer.AsSpan(start, stop - start));
            start = newline < 0 ? end : newline + 1;
            if (newline >= 0)
            {
                Number++;
                return true;
            }
        }
    }

    private void Append(ReadOnlySpan<char> part)
    {
        if (line.Length + part.Length > maxLength)
        {
            TooLong = true;
        }
        else
        {
            line.Append(part);
        }
    }
}
