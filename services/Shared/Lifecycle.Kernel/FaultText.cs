using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Lifecycle.Kernel;

/// <summary>
/// The interpolated text of a fault, which is not put together while there is none: requests are checked by the million and rarely at
/// fault. Numbers and times are written without a culture.
/// </summary>
[InterpolatedStringHandler]
public readonly struct FaultText
{
    private readonly StringBuilder? text;

    /// <summary>Called by the compiler.</summary>
    /// <param name="literalLength">Characters of the fixed parts.</param>
    /// <param name="formattedCount">Values.</param>
    /// <param name="holds">There is no fault.</param>
    /// <param name="isNeeded">Whether the parts are appended.</param>
    public FaultText(int literalLength, int formattedCount, bool holds, out bool isNeeded)
    {
        isNeeded = !holds;
        text = holds ? null : new StringBuilder(literalLength + (16 * formattedCount));
    }

    public void AppendLiteral(string value) => text!.Append(value);

    public void AppendFormatted<T>(T value) => text!.Append(CultureInfo.InvariantCulture, $"{value}");

    public void AppendFormatted<T>(T value, string? format) =>
        text!.Append(value is IFormattable formattable ? formattable.ToString(format, CultureInfo.InvariantCulture) : value?.ToString());

    public override string ToString() => text?.ToString() ?? "";
}
