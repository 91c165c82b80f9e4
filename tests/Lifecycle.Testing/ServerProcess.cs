using System.Diagnostics;

namespace Lifecycle.Testing;

/// <summary>Starts servers that end with their parent (<c>--with-parent</c>), which is the thread that started them.</summary>
internal static class ServerProcess
{
    /// <summary>Starts a script of <c>eng/native</c> on a thread that stays as long as the server does.</summary>
    public static Task<Process> Start(string script, params string[] arguments)
    {
        var launched = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                using var server = Process.Start(new ProcessStartInfo(
                    Path.Combine(Repository.Root, "eng", "native", script), [.. arguments, "--with-parent"])
                {
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                })!;
                server.OutputDataReceived += (_, _) => { };
                server.ErrorDataReceived += (_, _) => { };
                server.BeginOutputReadLine();
                server.BeginErrorReadLine();
                launched.SetResult(Process.GetProcessById(server.Id));
                server.WaitForExit();
            }
            catch (Exception fault)
            {
                launched.TrySetException(fault);
            }
        })
        {
            IsBackground = true,
        }.Start();
        return launched.Task;
    }
}
