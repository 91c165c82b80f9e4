using System.Collections;
using System.Globalization;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Lifecycle.Common.V1;

namespace Lifecycle.Rpc.Rest;

/// <summary>
/// A message as a table, after the rule <c>csv</c> of its method: the messages of one repeated field are the rows, the fields of each level
/// the columns, in the order of the proto. Money becomes an amount and a currency, a map one column for each key, a repeated scalar one
/// cell with semicolons; other messages inside a row are spread with dotted names. What is not set is an empty cell.
/// </summary>
internal sealed class CsvLayout
{
    private readonly Part[][] alternatives;
    private readonly MessageDescriptor message;

    /// <exception cref="ArgumentException">The rule names a field that the message does not have.</exception>
    public CsvLayout(MessageDescriptor message, string rule)
    {
        this.message = message;
        alternatives = rule.Split('|')
            .Select(alternative => alternative.Split('+').Select(path => Part.Parse(message, path)).ToArray()).ToArray();
    }

    /// <summary>The rows with a header; the header alone where there are none.</summary>
    public byte[] Write(IMessage answer)
    {
        var parts = alternatives.FirstOrDefault(parts => parts.Any(part => part.Rows(answer).Count > 0)) ?? alternatives[^1];
        var (headers, rows) = (new List<string>(), new List<Dictionary<string, string>>());
        foreach (var part in parts)
        {
            if (parts.Length > 1 && headers.Count == 0)
            {
                headers.Add("section");
            }

            var found = part.Rows(answer);
            foreach (var column in part.Columns(found).Where(column => !headers.Contains(column)))
            {
                headers.Add(column);
            }

            foreach (var row in found)
            {
                var cells = part.Cells(row);
                cells["section"] = part.Name;
                rows.Add(cells);
            }
        }

        var output = new StringBuilder();
        CsvText.AppendLine(output, headers.Select(CsvText.Text));
        foreach (var row in rows)
        {
            CsvText.AppendLine(output, headers.Select(header => row.GetValueOrDefault(header, "")));
        }

        return Encoding.UTF8.GetBytes(output.ToString());
    }

    /// <summary>What the answer says beside its rows, for headers: <c>note</c> as <c>lifecycle-note</c>.</summary>
    public IEnumerable<(string Name, string Value)> Headers(IMessage answer) =>
        from field in message.Fields.InFieldNumberOrder()
        where !field.IsRepeated && field.FieldType is FieldType.String or FieldType.Enum
        let text = Scalar(field, field.Accessor.GetValue(answer))
        where text.Length > 0 && !text.EndsWith("_UNSPECIFIED", StringComparison.Ordinal)
        select (
            $"lifecycle-{field.Name.Replace('_', '-')}", string.Concat(text.Select(letter => letter is >= ' ' and <= '~' ? letter : '?')));

    private static string Scalar(FieldDescriptor field, object value) => value switch
    {
        string text => text,
        bool flag => flag ? "true" : "false",
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        float number => number.ToString("R", CultureInfo.InvariantCulture),
        ByteString bytes => bytes.ToBase64(),
        _ when field.FieldType == FieldType.Enum =>
            field.EnumType.FindValueByNumber((int)value)?.Name ?? Convert.ToString((int)value, CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    /// <summary>One table: a chain of repeated fields, the last of which holds the rows.</summary>
    private sealed record Part(string Name, FieldDescriptor[] Path, string? Position)
    {
        public static Part Parse(MessageDescriptor message, string rule)
        {
            var (path, position) = rule.Split('#') is [var before, var name] ? (before, name) : (rule, null);
            var fields = new List<FieldDescriptor>();
            foreach (var step in path.Split('.'))
            {
                var field = message.FindFieldByName(step);
                if (field is not { IsRepeated: true, IsMap: false, FieldType: FieldType.Message })
                {
                    throw new ArgumentException(
                        $"{message.FullName} has no repeated messages {step}, which its CSV is to show.", nameof(rule));
                }

                fields.Add(field);
                message = field.MessageType;
            }

            return new Part(fields[0].JsonName, [.. fields], position);
        }

        /// <summary>Each row as the chain of messages down to it.</summary>
        public IReadOnlyList<Row> Rows(IMessage answer)
        {
            IReadOnlyList<Row> rows = [new Row([answer], 0)];
            foreach (var field in Path)
            {
                rows = rows.SelectMany(row => ((IList)field.Accessor.GetValue(row.Chain[^1])).Cast<IMessage>()
                    .Select((item, index) => new Row([.. row.Chain, item], index))).ToArray();
            }

            return rows;
        }

        public IEnumerable<string> Columns(IReadOnlyList<Row> rows)
        {
            for (var level = 0; level < Path.Length; level++)
            {
                foreach (var column in Columns(Path[level].MessageType, "", rows.Select(row => row.Chain[level + 1]).ToArray()))
                {
                    yield return Unique(column, level);
                }

                if (level == 0 && Position is not null)
                {
                    yield return Position;
                }
            }
        }

        public Dictionary<string, string> Cells(Row row)
        {
            var cells = new Dictionary<string, string>(StringComparer.Ordinal);
            for (var level = 0; level < Path.Length; level++)
            {
                Add(row.Chain[level + 1], "", (name, text) => cells[Unique(name, level)] = text);
            }

            if (Position is not null)
            {
                cells[Position] = row.Index.ToString(CultureInfo.InvariantCulture);
            }

            return cells;
        }

        /// <summary>A name that the level above has too carries the name of its own field.</summary>
        private string Unique(string column, int level) =>
            level > 0 && Path[level - 1].MessageType.Fields.InFieldNumberOrder().Any(field => field.JsonName == column)
                ? $"{Path[level].JsonName}.{column}"
                : column;

        private static IEnumerable<string> Columns(MessageDescriptor message, string prefix, IReadOnlyCollection<IMessage> samples)
        {
            foreach (var field in message.Fields.InFieldNumberOrder())
            {
                var name = prefix + field.JsonName;
                if (field.IsMap)
                {
                    foreach (var key in samples.SelectMany(sample => ((IDictionary)field.Accessor.GetValue(sample)).Keys.Cast<object>())
                        .Select(key => Convert.ToString(key, CultureInfo.InvariantCulture)!).Distinct())
                    {
                        yield return key;
                    }
                }
                else if (field.FieldType != FieldType.Message || IsTime(field))
                {
                    yield return name;
                }
                else if (field.IsRepeated)
                {
                    continue;
                }
                else if (IsMoney(field))
                {
                    yield return name;
                    yield return $"{name}Currency";
                }
                else
                {
                    var inner = samples.Where(sample => field.Accessor.HasValue(sample))
                        .Select(sample => (IMessage)field.Accessor.GetValue(sample)).ToArray();
                    foreach (var column in Columns(field.MessageType, $"{name}.", inner))
                    {
                        yield return column;
                    }
                }
            }
        }

        private static void Add(IMessage message, string prefix, Action<string, string> cell)
        {
            foreach (var field in message.Descriptor.Fields.InFieldNumberOrder().Where(
                field => !field.HasPresence || field.Accessor.HasValue(message)))
            {
                var (name, value) = (prefix + field.JsonName, field.Accessor.GetValue(message));
                switch (value)
                {
                    case IDictionary map:
                        foreach (DictionaryEntry entry in map)
                        {
                            cell(Convert.ToString(entry.Key, CultureInfo.InvariantCulture)!, CsvText.Text(
                                Convert.ToString(entry.Value, CultureInfo.InvariantCulture) ?? ""));
                        }

                        break;
                    case IList list when field.FieldType != FieldType.Message:
                        cell(name, CsvText.Text(string.Join(';', list.Cast<object>().Select(item => Scalar(field, item)))));
                        break;
                    case IList:
                        break;
                    case Money money:
                        cell(name, CsvText.Number(money.Amount));
                        cell($"{name}Currency", CsvText.Number(money.CurrencyCode));
                        break;
                    case Timestamp time:
                        cell(name, CsvText.Number(JsonFormatter.ToDiagnosticString(time).Trim('"')));
                        break;
                    case IMessage inner:
                        Add(inner, $"{name}.", cell);
                        break;
                    case string text:
                        cell(name, CsvText.Text(text));
                        break;
                    default:
                        cell(name, CsvText.Number(Scalar(field, value)));
                        break;
                }
            }
        }

        private static bool IsMoney(FieldDescriptor field) =>
            field is { FieldType: FieldType.Message } && field.MessageType == Money.Descriptor;

        private static bool IsTime(FieldDescriptor field) =>
            field is { FieldType: FieldType.Message, IsRepeated: false } && field.MessageType == Timestamp.Descriptor;
    }

    /// <summary>The messages from the answer down to the row, and the row's place in its list.</summary>
    private sealed record Row(IMessage[] Chain, int Index);
}
