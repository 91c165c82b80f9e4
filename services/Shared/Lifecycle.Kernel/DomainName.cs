using System.Globalization;
using System.Text;

namespace Lifecycle.Kernel;

/// <summary>Names of hosts and domains in the one form in which every service compares them.</summary>
public static class DomainName
{
    private static readonly IdnMapping Idn = new();

    /// <summary>
    /// Lower case, and punycode for letters beyond ASCII: <c>Bücher.example</c> → <c>xn--bcher-kva.example</c>. A leading dot stays. What
    /// is no valid name stays as it is but for the case: it still tells one from another.
    /// </summary>
    public static string Normal(string name)
    {
        var lower = name.ToLowerInvariant();
        if (Ascii.IsValid(lower))
        {
            return lower;
        }

        try
        {
            return lower[0] == '.' ? "." + Idn.GetAscii(lower[1..]) : Idn.GetAscii(lower);
        }
        catch (ArgumentException)
        {
            return lower;
        }
    }
}
