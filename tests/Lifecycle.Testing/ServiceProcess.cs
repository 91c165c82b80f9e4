using System.Collections.Concurrent;
using System.Diagnostics;

namespace Lifecycle.Testing;

/// <summary>The service ended although nobody stopped it.</summary>
public sealed class ServiceDiedException(string message) : Exception(message);

/// <summary>
/// A service as a process of its own, from its built library, with the environment of production. Errors that it logs are collected: a test
/// that does not expect them fails when the process is disposed.
/// </summary>
public sealed class ServiceProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);

    private readonly ConcurrentQueue<string> lines = [];
    private readonly ConcurrentBag<string> expectedErrors = [];
    private readonly Dictionary<string, string> environment;
    private readonly string library;
    private Process? process;

    private ServiceProcess(string name, string library, Dictionary<string, string> environment)
    {
        (Name, this.library, this.environment) = (name, library, environment);
        var ports = FreePorts.Find(2);
        (HttpPort, GrpcPort) = (ports[0], ports[1]);
        environment["HTTP_PORT"] = $"{HttpPort}";
        environment["GRPC_PORT"] = $"{GrpcPort}";
    }

    /// <summary>Name of the project, e.g. <c>Scoring</c>.</summary>
    public string Name { get; }

    public int HttpPort { get; }

    public int GrpcPort { get; }

    /// <summary>HTTP/1.1: health.</summary>
    public Uri Http => new($"http://127.0.0.1:{HttpPort}");

    /// <summary>HTTP/2 without TLS: gRPC and REST.</summary>
    public Uri Grpc => new($"http://127.0.0.1:{GrpcPort}");

    public int Id => process?.Id ?? throw new InvalidOperationException("The service is not started.");

    /// <summary>It has ended, by itself or not.</summary>
    public bool HasExited => process is { HasExited: true };

    /// <summary>Everything it has written so far.</summary>
    public IReadOnlyCollection<string> Output => lines;

    /// <summary>Lines logged as error or critical that no test expects.</summary>
    public IReadOnlyList<string> UnexpectedErrors =>
        [.. lines.Where(IsError).Where(line => !expectedErrors.Any(expected => line.Contains(expected, StringComparison.Ordinal)))];

    /// <summary>A service that is not started yet.</summary>
    /// <param name="service">Project under <c>services/</c>, e.g. <c>Scoring</c>, or <c>Gateway</c>.</param>
    /// <param name="environment">Environment variables beside the ports; see <see cref="ServiceEnvironment"/>.</param>
    /// <exception cref="FileNotFoundException">The service is not built.</exception>
    public static ServiceProcess Create(string service, IReadOnlyDictionary<string, string> environment)
    {
        var folder = service == "Gateway" ? "gateway" : Path.Combine("services", service);
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var library = Path.Combine(Repository.Root, folder, "bin", configuration, "net10.0", $"Lifecycle.{service}.dll");
        return CreateFromLibrary(service, library, environment);
    }

    /// <summary>As <see cref="Create"/>, from any built program that listens as the services do.</summary>
    public static ServiceProcess CreateFromLibrary(string name, string library, IReadOnlyDictionary<string, string> environment) =>
        File.Exists(library)
            ? new(name, library, new(environment, StringComparer.Ordinal))
            : throw new FileNotFoundException($"{name} is not built: {library} is missing.");

    /// <summary>Errors whose line contains the text are part of the test.</summary>
    public void Expect(string text) => expectedErrors.Add(text);

    /// <summary>Starts the process, on the same ports as before, and waits until <c>/health</c> says it is ready.</summary>
    public async Task Start(bool untilReady = true)
    {
        process = Launch([]);
        if (untilReady)
        {
            await UntilReady();
        }
    }

    /// <summary>Waits until <c>/health</c> answers 200.</summary>
    public async Task UntilReady()
    {
        using var client = new HttpClient { BaseAddress = Http };
        await Eventually.True(async () =>
        {
            if (process!.HasExited)
            {
                throw new ServiceDiedException($"{Name} ended with {process.ExitCode}:\n{string.Join('\n', lines.TakeLast(40))}");
            }

            using var response = await client.GetAsync("/health");
            return response.IsSuccessStatusCode ? true : throw new InvalidOperationException(await response.Content.ReadAsStringAsync());
        }, $"{Name} is ready. It wrote:\n{string.Join('\n', lines.TakeLast(40))}", StartPatience);
    }

    /// <summary>Runs the program with arguments, e.g. <c>--migrate</c>, to its end.</summary>
    /// <returns>Exit code.</returns>
    public async Task<int> RunToEnd(params string[] arguments)
    {
        using var run = Launch(arguments);
        await run.WaitForExitAsync();
        return run.ExitCode;
    }

    /// <summary>SIGKILL: it gets no chance to finish anything.</summary>
    public async Task Kill()
    {
        process!.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>SIGTERM, and waits for the orderly end.</summary>
    /// <returns>Exit code.</returns>
    public async Task<int> Stop()
    {
        using (var kill = Process.Start("kill", ["-TERM", $"{process!.Id}"]))
        {
            await kill.WaitForExitAsync();
        }

        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        await process.WaitForExitAsync(deadline.Token);
        return process.ExitCode;
    }

    /// <exception cref="InvalidOperationException">It logged errors that no test expects.</exception>
    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
        {
            await Kill();
        }

        process?.Dispose();
        if (UnexpectedErrors is { Count: > 0 } errors)
        {
            throw new InvalidOperationException($"{Name} logged {errors.Count} errors:\n{string.Join('\n', errors.Take(20))}");
        }
    }

    private Process Launch(string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [library, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetDirectoryName(library),
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var launched = Process.Start(start)!;
        launched.OutputDataReceived += (_, e) => Keep(e.Data);
        launched.ErrorDataReceived += (_, e) => Keep(e.Data);
        launched.BeginOutputReadLine();
        launched.BeginErrorReadLine();
        return launched;
    }

    private void Keep(string? line)
    {
        if (line is not null)
        {
            lines.Enqueue(line);
        }
    }

    /// <summary>
    /// The simple console writes <c>12:00:00.000 fail: Category[id] message</c>. A probe that finds the service not ready yet is no error.
    /// </summary>
    private static bool IsError(string line) =>
        (line.Contains("fail: ", StringComparison.Ordinal) && !line.Contains("DefaultHealthCheckService[103]", StringComparison.Ordinal))
        || line.Contains("crit: ", StringComparison.Ordinal) || line.StartsWith("Unhandled exception", StringComparison.Ordinal);
}
