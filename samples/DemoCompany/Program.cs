using System.Globalization;
using System.Runtime.InteropServices;

namespace DemoCompany;

/// <summary>
/// Sends a made-up company's half year through the public API. Exit codes: 0 done, 1 failed, 2 wrong arguments, 130 stopped.
/// </summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        if (!Arguments.TryParse(args, TimeProvider.System.GetUtcNow(), out var arguments, out var fault))
        {
            Console.Error.WriteLine(fault);
            return 2;
        }

        if (arguments.Help)
        {
            Console.WriteLine(Arguments.Usage);
            return 0;
        }

        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            await new Load(arguments, new Progress(TimeProvider.System)).Run(stop.Token);
            return 0;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            Console.Error.WriteLine("Stopped; the same command goes on where this one ended.");
            return 130;
        }
        catch (GatewayException refused)
        {
            Console.Error.WriteLine(refused.Message);
            return 1;
        }

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
    }
}
