const XLSX = require('xlsx');
const rows = [
  ["Spring fair 2026"], [],
  ["First Name","Last Name","E-Mail","Phone","Zip","Record Id","Born","Seen","Active","Score","Note"],
  ["Zoë","O'Neil","zoe@w1.example",4915112345678,1234,315207900000,new Date(Date.UTC(1990,1,3)),new Date(Date.UTC(2026,2,1,10,30)),true,0.1+0.2,"line one\nline two"],
  ["Łukasz","王","lukasz@w1.example","+48 22 555 0101",80331,3152079,new Date(Date.UTC(2001,11,31)),new Date(Date.UTC(2026,2,2,0,0)),false,7,"a_x000D_b & <c>"],
  ["Total","","","","","","","","",7.3,""],
];
const ws = XLSX.utils.aoa_to_sheet(rows, {cellDates:true, UTC:true});
ws["E4"].z = "00000"; ws["E5"].z="00000";
for (const c of ["G4","G5"]) { ws[c].z="yyyy-mm-dd"; }
for (const c of ["H4","H5"]) { ws[c].z="dd.mm.yyyy hh:mm"; }
ws["K5"] = {t:"s", v:"a_x000D_b & <c>"};
ws["D5"].v="+48 22 555 0101";
XLSX.utils.sheet_add_aoa(ws, [], {});
ws["L4"] = {t:"e", v:0x2A}; ws["L3"]={t:"s",v:"Lookup"};
ws["L5"] = {t:"n", v:12, f:"6*2"};
ws["!ref"]="A1:L6";
const cover = XLSX.utils.aoa_to_sheet([["Only a cover"]]);
const hidden = XLSX.utils.aoa_to_sheet([["First Name","E-Mail"],["Hid","hid@w1.example"]]);
const wb = XLSX.utils.book_new();
XLSX.utils.book_append_sheet(wb, cover, "Cover");
XLSX.utils.book_append_sheet(wb, hidden, "Hidden");
XLSX.utils.book_append_sheet(wb, ws, "People");
wb.Workbook = {Sheets:[{Hidden:0},{Hidden:1},{Hidden:0}]};
for (const [ext,bt] of [["xlsx","xlsx"],["xlsb","xlsb"],["xls","biff8"],["ods","ods"],["95.xls","biff5"]])
  XLSX.writeFile(wb, process.argv[2]+"/people."+ext, {bookType:bt, bookSST:true, compression:true});
