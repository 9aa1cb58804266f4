using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace ErrorStack
{
    /// <summary>Turns values of any kind into a form's names and texts, within bounds.</summary>
    /// <remarks>Nested values become names with dots, <c>order.id</c>; a list gives its name once for each
    /// item. Of a name that was read already, later values are left out: what is nearer to the error is
    /// read first.</remarks>
    internal sealed class FieldReader
    {
        internal const int MaxFields = 200;
        internal const int MaxItems = 50;
        internal const int MaxDepth = 4;
        internal const int MaxNameChars = 200;
        internal const int MaxTextChars = 32768;
        internal const int MaxAllChars = 262144;

        private readonly HashSet<string> _names = new HashSet<string>(StringComparer.Ordinal);
        private int _room = MaxAllChars;

        internal readonly List<KeyValuePair<string, string>> Texts = new List<KeyValuePair<string, string>>();

        /// <summary>Read what happened: an exception, fields, or anything else as a text.</summary>
        internal void Read(object what, string textName)
        {
            var thrown = what as Exception;
            if (thrown != null)
            {
                ReadException(thrown);
            }
            else if (IsFields(what))
            {
                ReadMore(what);
            }
            else
            {
                Add(textName, what, 0);
            }
        }

        /// <summary>Read a dictionary, or an object's public properties; null has none.</summary>
        internal void ReadMore(object fields)
        {
            var before = new HashSet<string>(_names, StringComparer.Ordinal);
            foreach (var field in Pairs(fields).Take(MaxFields))
            {
                if (!before.Contains(field.Key))
                {
                    Add(field.Key, field.Value, 0);
                }
            }
        }

        /// <summary>Return a value's text, whatever its ToString does.</summary>
        internal static string Text(object value)
        {
            try
            {
                return Shorten(Plain(value));
            }
            catch (Exception failure)
            {
                return "<" + value.GetType().Name + " that cannot be shown: " + failure.GetType().Name + ">";
            }
        }

        /// <summary>Return a text with its middle left out where it is too long: a trace's ends say most.</summary>
        internal static string Shorten(string whole)
        {
            if (whole.Length <= MaxTextChars)
            {
                return whole;
            }
            var half = MaxTextChars / 2;
            return whole.Substring(0, half) + "\n… " + (whole.Length - MaxTextChars) + " characters left out …\n"
                + whole.Substring(whole.Length - half);
        }

        private void ReadException(Exception thrown)
        {
            Add("Message", Said(() => thrown.Message), 0);
            Add("Type", thrown.GetType().FullName, 0);
            Add("Source", Said(() => thrown.Source), 0);
            Add("StackTrace", Text(thrown), 0); // with the exceptions that caused it
            Add("Method", Said(() => thrown.TargetSite == null ? null : Name(thrown.TargetSite)), 0);
            foreach (DictionaryEntry note in Said(() => thrown.Data) ?? new Hashtable())
            {
                Add("Data." + Text(note.Key), note.Value, 1);
            }
        }

        private static string Name(MethodBase method)
        {
            return (method.DeclaringType == null ? "" : method.DeclaringType.FullName + ".") + method.Name;
        }

        private static T Said<T>(Func<T> read) where T : class
        {
            try
            {
                return read();
            }
            catch (Exception)
            {
                return null; // an exception class of the program's own, which fails in turn
            }
        }

        private void Add(string name, object value, int depth)
        {
            if (value == null)
            {
                return;
            }
            if (name.Length > MaxNameChars)
            {
                name = name.Substring(0, MaxNameChars);
            }
            var items = value as IEnumerable;
            if (depth < MaxDepth && (value is IDictionary || IsAnonymous(value)))
            {
                foreach (var field in Pairs(value).Take(MaxItems))
                {
                    Add(name + "." + field.Key, field.Value, depth + 1);
                }
            }
            else if (items != null && !(value is string))
            {
                foreach (var item in items.Cast<object>().Take(MaxItems))
                {
                    AddText(name, item == null ? "" : Text(item));
                }
            }
            else
            {
                AddText(name, Text(value));
            }
        }

        private void AddText(string name, string text)
        {
            if (Texts.Count >= MaxFields || text.Length > _room)
            {
                return;
            }
            _room -= text.Length;
            _names.Add(name);
            Texts.Add(new KeyValuePair<string, string>(name, text));
        }

        private static string Plain(object value)
        {
            if (value is bool)
            {
                return (bool)value ? "true" : "false";
            }
            if (value is DateTime || value is DateTimeOffset)
            {
                return ((IFormattable)value).ToString("o", CultureInfo.InvariantCulture);
            }
            var formattable = value as IFormattable;
            var text = formattable == null
                ? value.ToString()
                : formattable.ToString(null, CultureInfo.InvariantCulture);
            return text ?? "";
        }

        private static bool IsFields(object what)
        {
            return what is IDictionary || what is IEnumerable<KeyValuePair<string, object>> || IsAnonymous(what);
        }

        private static bool IsAnonymous(object value)
        {
            var type = value == null ? null : value.GetType();
            return type != null && type.Name.StartsWith("<>", StringComparison.Ordinal)
                && type.GetTypeInfo().IsDefined(typeof(CompilerGeneratedAttribute), false)
                || value != null && type.Name.Contains("__AnonType");
        }

        private static IEnumerable<KeyValuePair<string, object>> Pairs(object fields)
        {
            var pairs = fields as IEnumerable<KeyValuePair<string, object>>;
            if (pairs != null)
            {
                return pairs;
            }
            var entries = fields as IDictionary;
            if (entries != null)
            {
                return entries.Cast<DictionaryEntry>()
                    .Select(entry => new KeyValuePair<string, object>(Text(entry.Key), entry.Value));
            }
            return fields == null || fields is string ? NoPairs : Properties(fields);
        }

        private static readonly KeyValuePair<string, object>[] NoPairs = new KeyValuePair<string, object>[0];

        private static IEnumerable<KeyValuePair<string, object>> Properties(object value)
        {
            foreach (var property in value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
            {
                if (property.CanRead && property.GetIndexParameters().Length == 0)
                {
                    yield return new KeyValuePair<string, object>(
                        property.Name, Said(() => property.GetValue(value, null)));
                }
            }
        }
    }
}
