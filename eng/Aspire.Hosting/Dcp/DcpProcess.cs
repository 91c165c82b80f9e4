using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Aspire.Hosting.Running;

namespace Aspire.Hosting.Dcp;

/// <summary>
/// The Aspire orchestrator as a child process. It is the parent of everything the application runs, and stops all of it
/// when it is told to or when the AppHost disappears.
/// </summary>
internal sealed partial class DcpProcess(RunOptions options) : IAsyncDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(25);

    /// <summary>What its children inherit; everything else reaches a resource only when declared.</summary>
    private static readonly string[] Inherited =
        ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "DOCKER_HOST", "SSL_CERT_DIR", "SSL_CERT_FILE"];

    private readonly Queue<string> _output = new();
    private DirectoryInfo? _session;
    private Process? _process;
    private DcpClient? _client;

    /// <summary>A folder of this run, gone after it.</summary>
    public string SessionFolder => _session?.FullName ?? throw new InvalidOperationException("DCP is not started.");

    /// <summary>Ends when the process does.</summary>
    public Task Ended => _process?.WaitForExitAsync() ?? Task.CompletedTask;

    /// <exception cref="DistributedApplicationException">The orchestrator is missing or does not start.</exception>
    public async Task<DcpClient> StartAsync(CancellationToken cancellationToken)
    {
        if (!File.Exists(options.DcpPath))
            throw new DistributedApplicationException(
                $"The Aspire orchestrator is missing: {options.DcpPath} does not exist; run eng/setup.");
        _session = Directory.CreateTempSubdirectory("aspire-dcp-");
        var kubeconfig = Path.Combine(SessionFolder, "kubeconfig");

        // In a session of its own: Ctrl+C reaches the AppHost alone, which then stops everything in order.
        var start = new ProcessStartInfo("setsid") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[options.DcpPath, "start-apiserver", "--kubeconfig", kubeconfig, "--root-dir", SessionFolder,
            "--monitor", Environment.ProcessId.ToString(CultureInfo.InvariantCulture)])
            start.ArgumentList.Add(argument);
        start.Environment.Clear();
        foreach (var name in Inherited)
        {
            if (Environment.GetEnvironmentVariable(name) is { } value) start.Environment[name] = value;
        }

        start.Environment["DCP_SESSION_FOLDER"] = SessionFolder;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();

        while (true)
        {
            if (_process.HasExited)
                throw new DistributedApplicationException(
                    $"The Aspire orchestrator ended with {_process.ExitCode} at its start:\n{Output()}");
            if (await ReadConfigAsync(kubeconfig, cancellationToken) is { } config)
            {
                _client = new DcpClient(config);
                if (await _client.IsReadyAsync(cancellationToken)) return _client;
                _client.Dispose();
            }

            await Task.Delay(Poll, cancellationToken);
        }
    }

    /// <summary>Stops the orchestrator and all that it started; by force after <paramref name="patience"/>.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        if (_process is null || _process.HasExited) return;
        using var limit = new CancellationTokenSource(patience);
        var helpers = Helpers();
        try
        {
            if (_client is not null) await _client.StopServerAsync(limit.Token);
            await _process.WaitForExitAsync(limit.Token);
            while (helpers.Any(id => Directory.Exists($"/proc/{id}"))) await Task.Delay(Poll, limit.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or HttpRequestException)
        {
            if (!_process.HasExited) _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.FromSeconds(3));
        _client?.Dispose();
        _process?.Dispose();
        try
        {
            _session?.Delete(recursive: true);
        }
        catch (IOException)
        {
            // A folder under the temporary one that could not be emptied does no harm.
        }
    }

    /// <summary>The processes below the orchestrator that are the orchestrator's own: they end a moment after it.</summary>
    private List<int> Helpers()
    {
        var found = new List<int>();
        if (!OperatingSystem.IsLinux()) return found;
        HashSet<int> family = [_process!.Id];
        // Parents have lower ids than their children, but for the rare wrap-around.
        var ids = Directory.EnumerateDirectories("/proc").Select(path => int.TryParse(Path.GetFileName(path), out var id) ? id : 0);
        foreach (var id in ids.Where(id => id > 0).Order())
        {
            try
            {
                var status = File.ReadAllText($"/proc/{id}/stat");
                var parent = int.Parse(status[(status.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
                if (!family.Contains(parent) || !status.Contains("(dcp)", StringComparison.Ordinal)) continue;
                family.Add(id);
                found.Add(id);
            }
            catch (IOException)
            {
                // It ended meanwhile.
            }
        }

        return found;
    }

    private static async Task<DcpConfig?> ReadConfigAsync(string path, CancellationToken cancellationToken)
    {
        if (!File.Exists(path)) return null;
        var text = await File.ReadAllTextAsync(path, cancellationToken);
        var server = Server().Match(text);
        var token = Token().Match(text);
        var authority = Authority().Match(text);
        return server.Success && token.Success && authority.Success
            ? new DcpConfig(new Uri(server.Groups[1].Value), token.Groups[1].Value, Convert.FromBase64String(authority.Groups[1].Value))
            : null;
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (_output)
        {
            _output.Enqueue(line);
            if (_output.Count > 20) _output.Dequeue();
        }
    }

    private string Output()
    {
        lock (_output) return string.Join('\n', _output);
    }

    [GeneratedRegex(@"server:\s*(\S+)")]
    private static partial Regex Server();

    [GeneratedRegex(@"token:\s*(\S+)\s")]
    private static partial Regex Token();

    [GeneratedRegex(@"certificate-authority-data:\s*(\S+)")]
    private static partial Regex Authority();
}

/// <param name="Server">The API's loopback address.</param>
/// <param name="Token">The bearer token that it asks for.</param>
/// <param name="Authority">The certificate authority, as PEM, that alone is trusted for it.</param>
internal sealed record DcpConfig(Uri Server, string Token, byte[] Authority);
