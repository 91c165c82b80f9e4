using System.Diagnostics.CodeAnalysis;

namespace StageChangeSubscriber;

/// <summary>The command line.</summary>
/// <param name="Help">Only explain.</param>
/// <param name="Queue">Queue of this subscriber; every subscriber has its own.</param>
/// <param name="StateFile">Where the versions seen are kept; null: in memory, a restart may print changes again.</param>
internal sealed record Arguments(bool Help, string Queue, string? StateFile)
{
    public const string Usage =
        """
        Prints every change of a lead's stage as one line of JSON: {"leadId","from","to","reason","version"}.

          --state FILE   keep the versions seen in FILE, so that a restart prints nothing twice
          --queue NAME   queue of this subscriber (samples.stage-changes)
          --help         this text

        The environment variable ConnectionStrings__rabbitmq names the broker: amqp://user:password@host:port/vhost.
        Changes wait in the queue while the subscriber is away. Ctrl+C ends it.
        """;

    public static bool TryParse(string[] args, [NotNullWhen(true)] out Arguments? arguments, [NotNullWhen(false)] out string? fault)
    {
        (arguments, fault) = (null, null);
        var read = new Arguments(false, "samples.stage-changes", null);
        for (var index = 0; index < args.Length; index++)
        {
            switch (args[index])
            {
                case "--help" or "-h":
                    read = read with { Help = true };
                    break;
                case "--queue" or "--state" when index + 1 == args.Length:
                    fault = $"{args[index]} needs a value; --help explains.";
                    return false;
                case "--queue":
                    read = read with { Queue = args[++index] };
                    break;
                case "--state":
                    read = read with { StateFile = args[++index] };
                    break;
                default:
                    fault = $"{args[index]} is not known; --help explains.";
                    return false;
            }
        }

        arguments = read;
        return true;
    }
}
