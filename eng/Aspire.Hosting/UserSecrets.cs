using System.Text.Json;

namespace Aspire.Hosting;

/// <summary>The file in the user's home where .NET keeps a project's secrets, as <c>dotnet user-secrets</c> does.</summary>
internal static class UserSecrets
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>The secret of that name; a new one is kept when there is none.</summary>
    /// <param name="id">The project's UserSecretsId; null: nothing is kept.</param>
    /// <param name="key">The configuration key.</param>
    /// <param name="make">Makes a new value.</param>
    public static string GetOrAdd(string? id, string key, Func<string> make)
    {
        if (string.IsNullOrEmpty(id)) return make();
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var folder = Path.Combine(home, ".microsoft", "usersecrets", id);
        var file = Path.Combine(folder, "secrets.json");
        var secrets = File.Exists(file) ? JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(file)) ?? [] : [];
        if (secrets.TryGetValue(key, out var kept)) return kept;

        secrets[key] = make();
        Directory.CreateDirectory(folder);
        var unfinished = file + ".new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var stream = new FileStream(unfinished, options)) JsonSerializer.Serialize(stream, secrets, Indented);
        File.Move(unfinished, file, overwrite: true);
        return secrets[key];
    }
}
