using System.Text;
using Lifecycle.Conversion.Domain.Stages;
using Lifecycle.Kernel;

namespace Lifecycle.Conversion.UnitTests.Stages;

/// <summary>The table of legal moves in the documentation is what the one function decides. Renewed by running with
/// <c>ACCEPT_GOLDEN=1</c>.</summary>
public sealed class StageTableTests
{
    private const string Begin = "<!-- stage moves: begin -->\n";
    private const string End = "<!-- stage moves: end -->";

    [Fact]
    public void Documentation_TableOfMoves_IsWhatTheMachineDecides()
    {
        var file = Path.Combine(Root(), "docs", "conversion.md");
        var text = File.ReadAllText(file);
        var (begin, end) = (text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, text.IndexOf(End, StringComparison.Ordinal));
        Assert.True(begin >= Begin.Length && end >= begin, "docs/conversion.md has no table of stage moves.");
        if (Environment.GetEnvironmentVariable("ACCEPT_GOLDEN") == "1")
        {
            File.WriteAllText(file, text[..begin] + Table() + text[end..]);
            return;
        }

        Assert.Equal(Table(), text[begin..end]);
    }

    private static string Table()
    {
        var stages = Enum.GetValues<Stage>();
        var table = new StringBuilder("| from | to | with one of the reasons |\n| --- | --- | --- |\n");
        foreach (var from in stages)
        {
            var cells = stages.Select(to => (to, Reasons: string.Join(' ', StageReasons.All.Where(reason => IsLegal(from, to, reason)))))
                .Where(cell => cell.Reasons.Length > 0)
                // Stages that can be reached for the same reasons share a line.
                .GroupBy(cell => cell.Reasons, cell => cell.to.Name());
            foreach (var cell in cells)
            {
                table.Append("| ").Append(from.Name()).Append(" | ").AppendJoin(", ", cell).Append(" | ").Append(cell.Key).Append(" |\n");
            }
        }

        return table.ToString();
    }

    private static bool IsLegal(Stage from, Stage to, string reason) => StageMachine.Decide(
        new(from, StageMachine.IsFunnel(from) ? from : Stage.Customer, 1, DateTimeOffset.UnixEpoch),
            new(to, reason, DateTimeOffset.UnixEpoch)).Succeeded;

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Lifecycle.Aspire.sln")))
        {
            folder = folder.Parent!;
        }

        return folder.FullName;
    }
}
