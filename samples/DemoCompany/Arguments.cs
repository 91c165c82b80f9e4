using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace DemoCompany;

/// <summary>The command line.</summary>
/// <param name="AdminKey">Makes the workspace; null where a workspace's own key is given.</param>
/// <param name="WorkspaceKey">Secret key of a workspace to fill.</param>
internal sealed record Arguments(bool Help, Uri Gateway, string? AdminKey, string? WorkspaceKey, int Connections, Plan Plan)
{
    public const string Usage =
        """
        Fills a workspace with half a year of a made-up B2B company, through the public API: visitors, leads, sales, customers.

          --gateway URL        where the gateway answers (http://localhost:8080)
          --key KEY            administrator's key: makes the workspace, or finds the one that the same arguments made
          --workspace-key KEY  instead: secret key of a workspace to fill, with the read and write scopes of all services and metrics:read
          --seed N             another company for every number (42)
          --days N             days of history, 30 to 730 (180)
          --visitors N         visitors, 100 to 1000000 (20000)
          --now TIME           end of the history, such as 2026-03-31 (today at midnight, UTC)
          --connections N      requests at once, 1 to 64 (6)
          --help               this text

        The same arguments give the same company: to send it twice to one workspace changes nothing.
        """;

    public static bool TryParse(
        string[] args, DateTimeOffset clock, [NotNullWhen(true)] out Arguments? arguments, [NotNullWhen(false)] out string? fault)
    {
        arguments = null;
        var midnight = new DateTimeOffset(clock.UtcDateTime.Date, TimeSpan.Zero);
        var read = new Arguments(false, new("http://localhost:8080"), null, null, 6, new(42, midnight, 180, 20_000));
        for (var index = 0; index < args.Length; index++)
        {
            if (args[index] is "--help" or "-h")
            {
                read = read with { Help = true };
                continue;
            }

            if (index + 1 == args.Length)
            {
                fault = $"{args[index]} is not known or needs a value; --help explains.";
                return false;
            }

            if (read.With(args[index], args[++index], clock) is not { } next)
            {
                fault = $"{args[index - 1]} {args[index]} is not understood; --help explains.";
                return false;
            }

            read = next;
        }

        fault = read.Help || read.AdminKey is null != read.WorkspaceKey is null ? null : "Give --key or --workspace-key; --help explains.";
        arguments = fault is null ? read : null;
        return fault is null;
    }

    private Arguments? With(string name, string value, DateTimeOffset clock) => name switch
    {
        "--gateway" => Uri.TryCreate(value, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? this with { Gateway = uri }
            : null,
        "--key" => this with { AdminKey = value },
        "--workspace-key" => this with { WorkspaceKey = value },
        "--seed" => ulong.TryParse(value, out var seed) ? this with { Plan = Plan with { Seed = seed } } : null,
        "--days" => Number(value, 30, 730) is { } days ? this with { Plan = Plan with { Days = days } } : null,
        "--visitors" => Number(value, 100, 1_000_000) is { } visitors ? this with { Plan = Plan with { Visitors = visitors } } : null,
        "--connections" => Number(value, 1, 64) is { } connections ? this with { Connections = connections } : null,
        "--now" => Time(value) is { } now && now <= clock ? this with { Plan = Plan with { Now = now } } : null,
        _ => null,
    };

    private static int? Number(string text, int least, int most) =>
        int.TryParse(text, out var number) && number >= least && number <= most ? number : null;

    private static DateTimeOffset? Time(string text) =>
        DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? time
            : null;
}

/// <summary>Which company, and how much of it.</summary>
/// <param name="Now">End of the history; nothing happens at or after it.</param>
internal sealed record Plan(ulong Seed, DateTimeOffset Now, int Days, int Visitors)
{
    public DateTimeOffset Start => Now.AddDays(-Days);

    /// <summary>First day of reports.</summary>
    public string From => Day(Start);

    /// <summary>Day after the last of reports.</summary>
    public string To => Day(Now.AddDays(1));

    /// <summary>How much of the history has passed, 0 to 1.</summary>
    public double Progress(DateTimeOffset time) => (time - Start) / (Now - Start);

    public static string Day(DateTimeOffset time) => time.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
